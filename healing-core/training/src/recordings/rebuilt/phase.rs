//! Figures of one phase of a recording.

use healing_core::health::Health;
use healing_core::observation::ProbeResult;

use super::super::load::LoadInterval;
use super::super::recording::Recording;
use super::super::sample::{FrontDoor, RecordedSample};

/// Time from the start of the recording until its usual phase is steady, in seconds.
const START: f64 = 10.0;
/// Time from the fault until the phase with it is steady, in seconds.
const TRANSITION: f64 = 20.0;
/// Duration above which a probe of the front door is late, in seconds.
const LATE: f64 = 1.0;

/// Part of a recording, in seconds since its start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Phase {
    pub(super) from: f64,
    pub(super) to: f64,
}

/// Figures of one phase of a recording, over its whole length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhaseFigures {
    /// Length of the phase in seconds.
    pub seconds: f64,
    /// Requests per second that the layer saw begin.
    pub begun_per_second: f64,
    /// Requests per second that ended neither with an error nor cancelled.
    pub good_per_second: f64,
    /// Requests per second that were served before their client's time-out. Absent if the clients were
    /// not recorded.
    pub served_per_second: Option<f64>,
    /// Share of the front-door probes that were not 200 within 1 s. Absent without a probe.
    pub late_share: Option<f64>,
    /// Throttled periods of all periods of the quota. Absent without a quota.
    pub throttled_share: Option<f64>,
    /// Cores used.
    pub cpu_cores: Option<f64>,
    /// Time in run queues per second, summed over threads.
    pub run_queue_wait_per_second: Option<f64>,
    /// Time in run queues of the time in which threads were ready to run or ran.
    pub run_queue_wait_share: Option<f64>,
}

// === impl Phase ===

impl Phase {
    /// Returns the phase before the fault.
    pub(super) fn usual(recording: &Recording) -> Self {
        Self {
            from: START,
            to: recording.case.fault_seconds - 1.0,
        }
    }

    /// Returns the phase with the fault, or with the changed load, until `end`.
    pub(super) fn fault(recording: &Recording, end: f64) -> Self {
        Self {
            from: recording.case.fault_seconds + TRANSITION,
            to: end - 1.0,
        }
    }

    fn contains(&self, seconds: f64) -> bool {
        (self.from..=self.to).contains(&seconds)
    }
}

// === impl PhaseFigures ===

impl PhaseFigures {
    /// Returns the figures of a phase; absent without two answers of the same process in it.
    pub(super) fn of(recording: &Recording, phase: Phase) -> Option<Self> {
        let samples = || {
            let samples = recording.samples.iter();
            samples.filter(|sample| phase.contains(sample.seconds) && sample.health().is_some())
        };
        let (first, last) = (samples().next()?, samples().next_back()?);
        let seconds = last.seconds - first.seconds;
        let (before, after) = (first.health()?, last.health()?);
        if seconds <= 0.0 || before.instance_id != after.instance_id {
            return None;
        }
        let growth = |of: fn(&Health) -> Option<u64>| difference(of(before), of(after));
        let ended = growth(|health| health.totals.requests_total)?;
        let errors = growth(|health| health.totals.errors_total)?;
        let cancelled = growth(|health| health.totals.cancelled_total)?;
        let in_flight = growth(|health| health.in_flight)?;
        let scheduler = first.scheduler.zip(last.scheduler);
        let cpu = scheduler.map(|(first, last)| last.cpu_seconds - first.cpu_seconds);
        let wait = scheduler.map(|(first, last)| last.wait_seconds - first.wait_seconds);
        Some(Self {
            seconds,
            begun_per_second: (ended + in_flight) / seconds,
            good_per_second: (ended - errors - cancelled) / seconds,
            served_per_second: served_per_second(&recording.load, phase),
            late_share: late_share(&recording.samples, phase),
            throttled_share: throttled_share(first, last),
            cpu_cores: cpu.map(|cpu| cpu / seconds),
            run_queue_wait_per_second: wait.map(|wait| wait / seconds),
            run_queue_wait_share: cpu.zip(wait).map(|(cpu, wait)| wait / (cpu + wait)),
        })
    }
}

/// Returns the rate of served requests in the intervals inside a phase.
#[allow(clippy::cast_precision_loss)] // small
fn served_per_second(load: &[LoadInterval], phase: Phase) -> Option<f64> {
    let (mut begin, mut seconds, mut served) = (0.0, 0.0, 0);
    for interval in load {
        if begin >= phase.from && interval.end_seconds <= phase.to {
            seconds += interval.end_seconds - begin;
            served += interval.served;
        }
        begin = interval.end_seconds;
    }
    (seconds > 0.0).then(|| served as f64 / seconds)
}

/// Returns the share of late probes among those that were begun and finished in a phase.
fn late_share(samples: &[RecordedSample], phase: Phase) -> Option<f64> {
    let (mut last, mut late, mut all) = (f64::NEG_INFINITY, 0.0, 0.0);
    let samples = samples
        .iter()
        .filter(|sample| phase.contains(sample.seconds));
    for probe in samples.filter_map(|sample| sample.front_door.as_ref()) {
        if probe.asked_seconds > last && probe.asked_seconds >= phase.from {
            last = probe.asked_seconds;
            all += 1.0;
            late += f64::from(u8::from(is_late(probe)));
        }
    }
    (all > 0.0).then_some(late / all)
}

fn is_late(probe: &FrontDoor) -> bool {
    !matches!(probe.result, ProbeResult::Valid(..)) || probe.duration.as_secs_f64() > LATE
}

fn throttled_share(first: &RecordedSample, last: &RecordedSample) -> Option<f64> {
    let (first, last) = (first.cgroup_cpu?, last.cgroup_cpu?);
    let throttled = difference(Some(first.throttled_periods), Some(last.throttled_periods))?;
    let all = difference(Some(first.periods), Some(last.periods))?;
    (all > 0.0).then_some(throttled / all)
}

/// Returns the difference of two counts, which may have fallen.
#[allow(clippy::cast_precision_loss)] // exact up to 2⁵³
fn difference(before: Option<u64>, after: Option<u64>) -> Option<f64> {
    Some(after? as f64 - before? as f64)
}
