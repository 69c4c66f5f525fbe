//! Completion of a sample: the figures that the recorder measured beside an answer of schema 1, in the form
//! in which a sidecar and an app of the present schema give them.
//!
//! | figure | from |
//! |---|---|
//! | `PortSockets` | `sock`: the smaller of two reads a second apart, without the recorder's own probe in flight |
//! | `received_bytes` | [`REQUEST_BYTES`] for each request that began since the poll before, where clients kept their connections |
//! | `cpu_seconds_total`, `run_queue_wait_seconds_total` | `sched` |
//! | `busiest_thread_cpu_seconds_total` | `top`: the largest growth of each second, summed |
//! | `cpu_periods_total`, `cpu_throttled_periods_total` | `cpustat` |
//! | `peak_goodput` | totals of each second |
//! | `answered_total`, `answered_errors_total`, `cancelled_before_head_total` | `counts` |
//! | `workers` | number of threads |
//!
//! Figures that were not recorded stay absent.
//!
//! # Hazards
//!
//! - A sidecar takes the smallest of ten reads within a second, so it sees fewer bursts than two reads do.
//! - Probes of the recorder that timed out before are counted as requests of clients.

use std::collections::{BTreeMap, VecDeque};

use healing_core::health::{Health, Vitals};
use healing_core::observation::{Circumstances, Mode, Observation, PortSockets, ProbeResult};

use super::sample::{AppCounts, RecordedSample, Sockets};

/// Figures of the observations of a replay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    /// Everything that was recorded.
    #[default]
    Recorded,
    /// Answers of schema 1 and the front door alone.
    SchemaOne,
}

/// Threads of the recorded app beside the workers of its runtime: the main thread, the care thread and two
/// of the test bed.
const OTHER_THREADS: u64 = 4;

/// Bytes of a request, in place of those that arrived, which were not recorded. The recorder took this size to
/// turn unread bytes into requests; connections of HTTP/1 with unread bytes had 36–58 in the median of most runs,
/// and HTTP/2 compresses the same fields.
const REQUEST_BYTES: u64 = 40;

/// Transport with a new connection for each request, whose bytes no two polls see.
const NEW_CONNECTIONS: &str = "new";

/// Seconds of a peak of goodput.
const PEAK_SECONDS: f64 = 2.0;

/// Age of the oldest peak that an app reports, in seconds.
const PEAK_MEMORY: f64 = 30.0;

/// Seconds between a probe and a sample of the same second, at most: a probe that takes no longer has ended
/// when the sockets are read.
const SETTLED: f64 = 0.05;

/// Completes the samples of a recording, in their order.
#[derive(Debug)]
pub(super) struct Completion<'a> {
    detail: Detail,
    /// Begin and end of the recorder's probes of the front door, in seconds.
    probes: Vec<(f64, f64)>,
    workers: Option<u64>,
    threads: Option<&'a BTreeMap<u32, f64>>,
    busiest_seconds: Option<f64>,
    cpu_seconds: f64,
    wait_seconds: f64,
    instance: Option<&'a str>,
    /// Sockets of the second before.
    sockets_before: Option<PortSockets>,
    sockets: Option<PortSockets>,
    /// Set if clients kept their connections.
    keeps_connections: bool,
    /// Requests begun up to the sample that was added last, and up to the poll before. `None` without an
    /// answer.
    begun: Option<u64>,
    begun_at_poll: Option<u64>,
    /// Time and good responses of the last seconds.
    good: VecDeque<(f64, f64)>,
}

// === impl Completion ===

impl<'a> Completion<'a> {
    pub(super) fn new(samples: &[RecordedSample], transport: Option<&str>, detail: Detail) -> Self {
        let threads = samples.iter().filter_map(|sample| {
            let vitals = sample.health()?.vitals.as_ref()?;
            vitals.threads?.checked_sub(OTHER_THREADS)
        });
        let probes = samples
            .iter()
            .filter_map(|sample| sample.front_door.as_ref())
            .map(|probe| {
                let begin = probe.asked_seconds;
                (begin, begin + probe.duration.as_secs_f64())
            })
            .collect();
        Self {
            detail,
            probes,
            workers: threads.min().filter(|workers| *workers > 0),
            threads: None,
            busiest_seconds: None,
            cpu_seconds: 0.0,
            wait_seconds: 0.0,
            instance: None,
            sockets_before: None,
            sockets: None,
            keeps_connections: transport.is_some_and(|name| name != NEW_CONNECTIONS),
            begun: None,
            begun_at_poll: None,
            good: VecDeque::new(),
        }
    }

    /// Adds a sample.
    pub(super) fn push(&mut self, sample: &'a RecordedSample) {
        self.sockets_before = self.sockets;
        self.sockets = sample
            .sockets
            .map(|sockets| self.without_own_probe(sample, sockets));
        let health = sample.health();
        self.begun = health.and_then(begun);
        let instance = health.and_then(|health| health.instance_id.as_deref());
        if instance.is_some() && instance != self.instance {
            self.instance = instance;
            self.good.clear();
            (self.cpu_seconds, self.wait_seconds) = (0.0, 0.0);
            (self.threads, self.busiest_seconds) = (None, None);
        }
        if let Some(scheduler) = sample.scheduler {
            // Threads that end take their share of the sums with them.
            self.cpu_seconds = self.cpu_seconds.max(scheduler.cpu_seconds);
            self.wait_seconds = self.wait_seconds.max(scheduler.wait_seconds);
        }
        if !sample.busiest_threads.is_empty() {
            let threads = &sample.busiest_threads;
            let busiest = self.threads.and_then(|before| busiest(before, threads));
            if let Some(busiest) = busiest {
                *self.busiest_seconds.get_or_insert(0.0) += busiest;
            }
            self.threads = Some(threads);
        }
        if let Some(good) = health.and_then(good) {
            self.good.push_back((sample.seconds, good));
            while self
                .good
                .front()
                .is_some_and(|(seconds, _)| sample.seconds - seconds > PEAK_MEMORY + PEAK_SECONDS)
            {
                self.good.pop_front();
            }
        }
    }

    /// Returns the observation of the sample that was added last, by a sidecar in enforce mode that cannot
    /// see the app's process.
    pub(super) fn observation(&mut self, sample: &RecordedSample) -> Observation {
        let begun_before = std::mem::replace(&mut self.begun_at_poll, self.begun);
        let mut observation = Observation {
            care: sample.care.clone(),
            front_door: sample.front_door_result(),
            sockets: None,
            circumstances: Circumstances {
                mode: Mode::Enforce,
                ..Circumstances::default()
            },
        };
        if self.detail == Detail::Recorded {
            observation.sockets = self.standing_sockets(begun_before);
            if let ProbeResult::Valid(health, _) = &mut observation.care {
                self.complete(sample, health);
            }
        }
        observation
    }

    fn complete(&self, sample: &RecordedSample, health: &mut Health) {
        health.peak_goodput = self.peak_goodput();
        if let Some(runtime) = &mut health.runtime {
            runtime.workers = self.workers;
        }
        if let Some(vitals) = &mut health.vitals {
            self.complete_vitals(sample, vitals);
        }
        if let Some(counts) = sample.app_counts {
            complete_heads(health, counts);
        }
    }

    fn complete_vitals(&self, sample: &RecordedSample, vitals: &mut Vitals) {
        vitals.busiest_thread_cpu_seconds_total = self.busiest_seconds;
        if sample.scheduler.is_some() {
            vitals.cpu_seconds_total = Some(self.cpu_seconds);
            vitals.run_queue_wait_seconds_total = Some(self.wait_seconds);
        }
        if let Some(cgroup) = sample.cgroup_cpu {
            vitals.cpu_periods_total = Some(cgroup.periods);
            vitals.cpu_throttled_periods_total = Some(cgroup.throttled_periods);
        }
    }

    /// Returns the smaller figures of the last two reads. `begun_before` are the requests begun up to the poll
    /// before.
    fn standing_sockets(&self, begun_before: Option<u64>) -> Option<PortSockets> {
        let new = self.sockets?;
        let old = self.sockets_before.unwrap_or(new);
        Some(PortSockets {
            backlog: new.backlog.min(old.backlog),
            established: new.established.min(old.established),
            unread: new.unread.min(old.unread),
            unread_bytes: new.unread_bytes.min(old.unread_bytes),
            listening: new.listening,
            received_bytes: self.begun.zip(begun_before).map(|(begun, before)| {
                let begun = begun.saturating_sub(before);
                u64::from(self.keeps_connections) * REQUEST_BYTES * begun
            }),
        })
    }

    /// Returns the sockets without the recorder's own probe. A probe in flight waits like a request: answers
    /// take a millisecond.
    fn without_own_probe(&self, sample: &RecordedSample, sockets: Sockets) -> PortSockets {
        let probed = self.probes.iter().any(|(begin, end)| {
            begin + SETTLED <= sample.seconds && sample.seconds + SETTLED <= *end
        });
        let own = u64::from(probed);
        let unread = sockets.unread + sockets.close_wait_unread;
        let bytes = sockets.unread_bytes.unwrap_or(0);
        PortSockets {
            backlog: sockets.backlog.saturating_sub(own),
            established: sockets.established.saturating_sub(own),
            unread: unread.saturating_sub(own),
            unread_bytes: bytes - own * bytes / unread.max(1),
            listening: sample.front_door_result() != ProbeResult::Refused,
            received_bytes: None,
        }
    }

    /// Returns the highest goodput of any 2 s within the last 30 s, per second.
    fn peak_goodput(&self) -> Option<f64> {
        let rate = |(begin, end): (&(f64, f64), &(f64, f64))| {
            let seconds = end.0 - begin.0;
            // Two seconds, with the jitter of the recorder.
            ((end.1 - begin.1) / seconds, (1.8..2.5).contains(&seconds))
        };
        self.good
            .iter()
            .zip(self.good.iter().skip(2))
            .map(rate)
            .filter_map(|(rate, counts)| counts.then_some(rate))
            .reduce(f64::max)
    }
}

/// Returns the largest growth of the CPU time of one thread.
fn busiest(before: &BTreeMap<u32, f64>, after: &BTreeMap<u32, f64>) -> Option<f64> {
    after
        .iter()
        .filter_map(|(id, seconds)| Some(seconds - before.get(id)?))
        .reduce(f64::max)
        .map(|seconds| seconds.max(0.0))
}

/// Returns the requests that have begun.
fn begun(health: &Health) -> Option<u64> {
    Some(health.totals.requests_total? + health.in_flight?)
}

/// Returns the good responses of an answer of schema 1.
fn good(health: &Health) -> Option<f64> {
    let totals = &health.totals;
    let bad = totals.errors_total? + totals.cancelled_total?;
    #[allow(clippy::cast_precision_loss)] // exact up to 2⁵³
    let good = totals.requests_total?.saturating_sub(bad) as f64;
    Some(good)
}

/// Sets the counts of response heads. Requests of the recorder, which only the layer counts, were answered.
fn complete_heads(health: &mut Health, counts: AppCounts) {
    let totals = &mut health.totals;
    let (Some(finished), Some(in_flight)) = (totals.requests_total, health.in_flight) else {
        return;
    };
    let of_recorder = (finished + in_flight).saturating_sub(counts.begun);
    totals.answered_total = Some(counts.answered + counts.answered_errors + of_recorder);
    totals.answered_errors_total = Some(counts.answered_errors);
    totals.cancelled_before_head_total = Some(counts.cancelled);
}
