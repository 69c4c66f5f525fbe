//! CPU: the app has used it up, or cannot get it (starvation).
//!
//! Neither is a symptom. Both explain a loss of goodput that a restart does not end: the work stays, and so
//! does the node.

use std::time::Duration;

use super::recent::Recent;
use crate::health::Health;
use crate::number::as_f64;
use crate::time::Time;

/// Time over which CPU time is evaluated. It is shorter than the window of the goodput, because an average
/// reaches a threshold near 1 only when nearly all of its window is used up.
pub(super) const FAST_WINDOW: Duration = Duration::from_secs(10);

/// Age of the oldest report that is kept: two of the longest poll intervals.
const HORIZON: Duration = Duration::from_secs(120);

/// CPU time, as a share of the limit, from which it is used up: queues grow without bounds near 1, and
/// polls blur the edge.
const USED_UP: f64 = 0.85;

/// CPU time of the busiest thread, as a share of a core, from which the only worker is used up. It is higher
/// than [`USED_UP`], because it is one thread.
const WORKER_USED_UP: f64 = 0.95;

/// Share of the CFS periods, or of the time, with throttling, from which an app is starved.
const THROTTLED: f64 = 0.25;

/// Seconds per second that threads wait for a CPU, from which an app can be starved at all.
const MIN_WAIT: f64 = 0.1;

/// Share of the waiting time in the time in which threads could run, from which an app is starved.
const WAITING: f64 = 0.25;

/// Cumulative CPU figures of one report.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    cpu_seconds: Option<f64>,
    busiest_seconds: Option<f64>,
    wait_seconds: Option<f64>,
    throttled_seconds: Option<f64>,
    periods: Option<u64>,
    throttled_periods: Option<u64>,
}

/// CPU figures of the reports of one instance.
#[derive(Debug)]
pub(super) struct Cpu {
    samples: Recent<Sample>,
    limit_cores: Option<f64>,
    workers: Option<u64>,
    /// Latest report with all CPU used up.
    used_up: Option<Time>,
}

/// Figures between two reports.
#[derive(Debug, Clone, Copy)]
struct Interval {
    new: Sample,
    old: Sample,
    seconds: f64,
}

/// State of the CPU over the last window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct CpuState {
    /// Set if the app uses all CPU that it is allowed, and is not throttled.
    pub(super) used_up: bool,
    /// Set if the app waits for a CPU, because of a quota or a busy node.
    pub(super) starved: bool,
    /// Set if the app uses all CPU that it is allowed, throttled or not. Its own threads may then be the
    /// cause, so that a restart can end it.
    pub(super) limit_reached: bool,
}

// === impl Cpu ===

impl Cpu {
    /// Returns a history without reports.
    pub(super) fn new() -> Self {
        Self {
            samples: Recent::new(HORIZON),
            limit_cores: None,
            workers: None,
            used_up: None,
        }
    }

    /// Adds a report.
    pub(super) fn push(&mut self, now: Time, health: &Health) {
        let Some(vitals) = &health.vitals else {
            return;
        };
        self.limit_cores = vitals.cpu_limit_cores;
        self.workers = health.runtime.as_ref().and_then(|runtime| runtime.workers);
        self.samples.push(
            now,
            Sample {
                cpu_seconds: vitals.cpu_seconds_total,
                busiest_seconds: vitals.busiest_thread_cpu_seconds_total,
                wait_seconds: vitals.run_queue_wait_seconds_total,
                throttled_seconds: vitals.cpu_throttled_seconds_total,
                periods: vitals.cpu_periods_total,
                throttled_periods: vitals.cpu_throttled_periods_total,
            },
        );
        if self.is_used_up() {
            self.used_up = Some(now);
        }
    }

    /// Removes all reports.
    pub(super) fn clear(&mut self) {
        self.samples.clear();
        self.used_up = None;
    }

    /// Returns the state over the window of the goodput that it explains. Nothing is explained where the
    /// figures are absent.
    pub(super) fn state(&self, window: Duration) -> CpuState {
        let throttled = self
            .over(window)
            .is_some_and(|interval| interval.is_throttled());
        let waits = self.over(window).is_some_and(|window| window.waits());
        let newest = self.samples.newest().map(|(at, _)| at);
        // A loss is explained as long as it is in the window.
        let used_up = newest
            .zip(self.used_up)
            .is_some_and(|(newest, used_up)| newest.since(used_up) <= window);
        CpuState {
            used_up: used_up && !throttled,
            starved: throttled || waits,
            limit_reached: used_up,
        }
    }

    /// Returns the shortest interval of at least this time that ends with the newest report.
    fn over(&self, window: Duration) -> Option<Interval> {
        let (_, new) = self.samples.newest()?;
        let (age, old) = self.samples.backwards().find(|(age, _)| *age >= window)?;
        Some(Interval {
            new,
            old,
            seconds: age.as_secs_f64(),
        })
    }

    /// Returns `true` if the app uses all CPU that it is allowed, or its only worker uses a whole core.
    fn is_used_up(&self) -> bool {
        let Some(interval) = self.over(FAST_WINDOW) else {
            return false;
        };
        let cpu = interval.rate(|sample| sample.cpu_seconds);
        let busiest = interval.rate(|sample| sample.busiest_seconds);
        cpu.zip(self.limit_cores)
            .is_some_and(|(cpu, limit)| cpu >= USED_UP * limit)
            || (self.workers == Some(1) && busiest.is_some_and(|busiest| busiest >= WORKER_USED_UP))
    }
}

// === impl Interval ===

impl Interval {
    /// Returns the growth of a figure per second.
    fn rate(&self, figure: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        Some((figure(&self.new)? - figure(&self.old)?).max(0.0) / self.seconds)
    }

    /// Returns `true` if the quota was used up in many periods or, where periods are not counted, for much
    /// of the time.
    fn is_throttled(&self) -> bool {
        throttled_share(self.new, self.old)
            .or_else(|| self.rate(|sample| sample.throttled_seconds))
            .is_some_and(|share| share > THROTTLED)
    }

    /// Returns `true` if threads that could run wait for a CPU for much of the time.
    fn waits(&self) -> bool {
        let wait = self.rate(|sample| sample.wait_seconds);
        wait.zip(self.rate(|sample| sample.cpu_seconds))
            .is_some_and(|(wait, cpu)| wait > MIN_WAIT && wait > WAITING * (wait + cpu))
    }
}

/// Returns the share of the CFS periods between two reports in which the quota was used up.
fn throttled_share(new: Sample, old: Sample) -> Option<f64> {
    let grown = |new: Option<u64>, old: Option<u64>| Some(as_f64(new?.saturating_sub(old?)));
    let throttled = grown(new.throttled_periods, old.throttled_periods)?;
    let periods = grown(new.periods, old.periods)?;
    Some(throttled / periods.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Runtime, Vitals};

    const WINDOW: Duration = Duration::from_secs(30);

    /// Returns the state after a minute with these figures per second: CPU time, that of the busiest thread,
    /// waiting time, throttled time, of a limit of two cores.
    fn state(workers: Option<u64>, rates: [Option<f64>; 4]) -> CpuState {
        let mut cpu = Cpu::new();
        for poll in 0..13_u32 {
            let total = |rate: Option<f64>| rate.map(|rate| 5.0 * rate * f64::from(poll));
            let [cpu_seconds, busiest, wait, throttled] = rates.map(total);
            let health = Health {
                vitals: Some(Vitals {
                    cpu_limit_cores: Some(2.0),
                    cpu_seconds_total: cpu_seconds,
                    busiest_thread_cpu_seconds_total: busiest,
                    run_queue_wait_seconds_total: wait,
                    cpu_throttled_seconds_total: throttled,
                    ..Vitals::default()
                }),
                runtime: Some(Runtime {
                    workers,
                    ..Runtime::default()
                }),
                ..Health::default()
            };
            cpu.push(Time::default() + Duration::from_secs(5) * poll, &health);
        }
        cpu.state(WINDOW)
    }

    #[test]
    fn cpu_is_used_up_by_the_process_or_by_its_only_worker() {
        let used_up =
            |workers, cpu, busiest| state(workers, [Some(cpu), busiest, None, None]).used_up;
        assert!(used_up(None, 1.8, None) && !used_up(None, 1.6, None));
        assert!(used_up(Some(1), 1.0, Some(0.99)) && !used_up(Some(1), 1.0, Some(0.9)));
        assert!(!used_up(Some(4), 1.0, Some(0.99)) && !used_up(None, 1.0, Some(0.99)));
    }

    #[test]
    fn app_is_starved_by_its_quota_or_by_a_busy_node() {
        let starved = |cpu, wait, throttled| state(None, [Some(cpu), None, wait, throttled]);
        let by_quota = starved(1.9, None, Some(0.3));
        assert!(by_quota.starved && !by_quota.used_up);
        assert!(starved(0.3, Some(0.2), None).starved);
        assert!(!starved(0.01, Some(0.05), None).starved, "hardly any time");
        assert!(!starved(1.0, Some(0.2), None).starved, "a small share");
    }

    #[test]
    fn absent_figures_explain_nothing() {
        assert_eq!(state(None, [None; 4]), CpuState::default());
    }

    #[test]
    fn throttled_periods_decide_where_they_are_counted() {
        let sample = |periods, throttled_periods| Sample {
            periods: Some(periods),
            throttled_periods: Some(throttled_periods),
            throttled_seconds: Some(1000.0),
            ..Sample::default()
        };
        let interval = |throttled| Interval {
            new: sample(400, throttled),
            old: sample(100, 0),
            seconds: 30.0,
        };
        assert!(interval(76).is_throttled() && !interval(75).is_throttled());
    }
}
