//! Figures of a recording: what a sidecar can know about a service, second by second.
//!
//! Rates and shares are over the 10 s before; a window contains one process only, so that totals do not
//! fall. A figure that cannot be computed is absent.

use healing_core::health::{Health, Latency};
use healing_core::observation::ProbeResult;

use super::recording::Recording;
use super::sample::RecordedSample;

/// Length of the windows, in samples: 10 s.
const WINDOW: usize = 10;

/// Figure with its value in one second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Name; its last part is the unit where there is one.
    pub name: &'static str,
    /// Value. Absent if it cannot be computed.
    pub value: Option<f64>,
}

/// Window of samples by one process, with its first and last answer.
struct Window<'a> {
    samples: &'a [RecordedSample],
    first: &'a Health,
    last: &'a Health,
    seconds: f64,
}

/// Returns the figures of each second of a recording that has an answer 10 s before, of the same process.
pub fn figures(recording: &Recording) -> impl Iterator<Item = Vec<Figure>> {
    recording
        .samples
        .windows(WINDOW + 1)
        .filter_map(Window::new)
        .map(|window| {
            let groups = [
                window.usage(),
                window.traffic(),
                window.latency(),
                window.reachability(),
                window.scheduling(),
                window.sockets(),
            ];
            groups.concat()
        })
}

macro_rules! figures {
    ($($name:literal: $value:expr,)+) => {
        vec![$(Figure { name: $name, value: $value }),+]
    };
}

// === impl Window ===

impl<'a> Window<'a> {
    /// Returns the window, unless an end has no answer or the process changed.
    fn new(samples: &'a [RecordedSample]) -> Option<Self> {
        let (begin, end) = (samples.first()?, samples.last()?);
        let (first, last) = (begin.health()?, end.health()?);
        (first.instance_id == last.instance_id && end.seconds > begin.seconds).then_some(Self {
            samples,
            first,
            last,
            seconds: end.seconds - begin.seconds,
        })
    }

    fn newest(&self) -> Option<&RecordedSample> {
        self.samples.last()
    }

    fn usage(&self) -> Vec<Figure> {
        let vitals = self.last.vitals.as_ref();
        figures! {
            "cpu_usage_percent": self.last.cpu_usage,
            "memory_usage_percent": self.last.memory_usage,
            "cpu_limit_cores": vitals.and_then(|vitals| vitals.cpu_limit_cores),
            "memory_working_set_bytes": vitals.and_then(|vitals| number(vitals.memory_working_set_bytes)),
            "open_fds": vitals.and_then(|vitals| number(vitals.open_fds)),
            "threads": vitals.and_then(|vitals| number(vitals.threads)),
        }
    }

    fn traffic(&self) -> Vec<Figure> {
        let (first, last) = (&self.first.totals, &self.last.totals);
        let ended = growth(first.requests_total, last.requests_total);
        let errors = growth(first.errors_total, last.errors_total);
        let cancelled = growth(first.cancelled_total, last.cancelled_total);
        let panics = growth(first.panics_total, last.panics_total);
        let failed_bodies = growth(first.body_errors_total, last.body_errors_total);
        let in_flight = self.in_flight_growth();
        let begun = ended.zip(in_flight).map(|(ended, growth)| ended + growth);
        let good = ended
            .zip(errors.zip(cancelled))
            .map(|(ended, (errors, cancelled))| ended - errors - cancelled);
        let share = |part: Option<f64>| ratio(part, ended);
        let rate = |count: Option<f64>| count.map(|count| count / self.seconds);
        figures! {
            "ended_per_second": rate(ended),
            "begun_per_second": rate(begun),
            "good_per_second": rate(good),
            "error_share": share(errors),
            "cancelled_share": share(cancelled),
            "panic_share": share(panics),
            "body_error_share": share(failed_bodies),
            "in_flight": number(self.last.in_flight),
            "oldest_in_flight_seconds": self.last.oldest_in_flight_seconds,
        }
    }

    fn in_flight_growth(&self) -> Option<f64> {
        Some(number(self.last.in_flight)? - number(self.first.in_flight)?)
    }

    fn latency(&self) -> Vec<Figure> {
        let latency = |share| {
            let (first, last) = (self.first.latency.as_ref()?, self.last.latency.as_ref()?);
            quantile_seconds(first, last, share)
        };
        figures! {
            "p50_seconds": latency(0.5),
            "p99_seconds": latency(0.99),
        }
    }

    fn reachability(&self) -> Vec<Figure> {
        let runtime = self.last.runtime.as_ref();
        let newest = self.newest();
        let probe = newest.and_then(|sample| sample.front_door.as_ref());
        let answered = probe.filter(|probe| matches!(probe.result, ProbeResult::Valid(..)));
        figures! {
            "runtime_lag_seconds": runtime.map(|runtime| runtime.lag_seconds),
            "runtime_tick_age_seconds": runtime.map(|runtime| runtime.tick_age_seconds),
            "care_seconds": newest.map(|sample| sample.care_duration.as_secs_f64()),
            "front_door_seconds": answered.map(|probe| probe.duration.as_secs_f64()),
            "front_door_timeout_share": self.front_door_share(|result| *result == ProbeResult::TimedOut),
            "front_door_refused_share": self.front_door_share(|result| *result == ProbeResult::Refused),
        }
    }

    /// Returns the share of seconds whose latest front-door probe has such a result.
    fn front_door_share(&self, is_counted: impl Fn(&ProbeResult<()>) -> bool) -> Option<f64> {
        let probes = self
            .samples
            .iter()
            .filter_map(|sample| sample.front_door.as_ref());
        let (mut counted, mut all) = (0.0, 0.0);
        for probe in probes {
            all += 1.0;
            counted += f64::from(u8::from(is_counted(&probe.result)));
        }
        ratio(Some(counted), Some(all))
    }

    fn scheduling(&self) -> Vec<Figure> {
        let (first, last) = (self.samples.first(), self.newest());
        let cpu_and_wait = first.zip(last).and_then(|(first, last)| {
            let (first, last) = (first.scheduler?, last.scheduler?);
            let cpu = last.cpu_seconds - first.cpu_seconds;
            let wait = last.wait_seconds - first.wait_seconds;
            // Threads that end take their share of the sums with them.
            (cpu >= 0.0 && wait >= 0.0).then_some((cpu, wait))
        });
        let throttling = first.zip(last).and_then(|(first, last)| {
            let (first, last) = (first.cgroup_cpu?, last.cgroup_cpu?);
            let all = growth(Some(first.periods), Some(last.periods));
            let throttled = growth(Some(first.throttled_periods), Some(last.throttled_periods));
            ratio(throttled, all)
        });
        figures! {
            "cpu_cores": cpu_and_wait.map(|(cpu, _)| cpu / self.seconds),
            "busiest_thread_cores": self.busiest_thread_cores(),
            "run_queue_wait_per_second": cpu_and_wait.map(|(_, wait)| wait / self.seconds),
            "run_queue_wait_share": cpu_and_wait.and_then(|(cpu, wait)| ratio(Some(wait), Some(cpu + wait))),
            "throttled_share": throttling,
        }
    }

    /// Returns the largest number of cores that one thread used.
    fn busiest_thread_cores(&self) -> Option<f64> {
        let (first, last) = (self.samples.first()?, self.newest()?);
        last.busiest_threads
            .iter()
            .filter_map(|(id, seconds)| Some(seconds - first.busiest_threads.get(id)?))
            .map(|seconds| seconds / self.seconds)
            .reduce(f64::max)
    }

    fn sockets(&self) -> Vec<Figure> {
        let sockets = self.newest().and_then(|sample| sample.sockets);
        let of = |count: fn(super::Sockets) -> Option<u64>| number(sockets.and_then(count));
        figures! {
            "accept_backlog": of(|sockets| Some(sockets.backlog)),
            "established": of(|sockets| Some(sockets.established)),
            "unread_sockets": of(|sockets| Some(sockets.unread)),
            "close_wait": of(|sockets| Some(sockets.close_wait)),
            "close_wait_unread": of(|sockets| Some(sockets.close_wait_unread)),
            "unread_bytes": of(|sockets| sockets.unread_bytes),
            "stuck_sockets": of(|sockets| sockets.stuck),
        }
    }
}

#[allow(clippy::cast_precision_loss)] // exact up to 2⁵³
fn number(count: Option<u64>) -> Option<f64> {
    count.map(|count| count as f64)
}

/// Returns the growth of a total; absent if it fell.
fn growth(first: Option<u64>, last: Option<u64>) -> Option<f64> {
    number(last?.checked_sub(first?))
}

fn ratio(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    let whole = whole.filter(|whole| *whole > 0.0)?;
    Some(part? / whole)
}

/// Returns the upper bound of the bucket that holds a quantile of the requests between two histograms;
/// absent without requests, and if the bucket has no upper bound.
fn quantile_seconds(first: &Latency, last: &Latency, share: f64) -> Option<f64> {
    let counts: Vec<f64> = first
        .counts
        .iter()
        .zip(&last.counts)
        .map(|(first, last)| growth(Some(*first), Some(*last)))
        .collect::<Option<_>>()?;
    let all: f64 = counts.iter().sum();
    let mut below = 0.0;
    let index = counts.iter().position(|count| {
        below += count;
        below > 0.0 && below >= share * all
    })?;
    last.bounds_seconds.get(index).copied()
}

#[cfg(test)]
mod tests;
