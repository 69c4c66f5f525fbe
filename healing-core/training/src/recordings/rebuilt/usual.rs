//! Facts about the app and its machine that the usual phase of a run shows, before its fault.

use super::super::recording::Recording;
use super::app::Endpoint;
use super::phase::{Phase, PhaseFigures};

/// Cores that the app uses without requests (runs `i-low-ok` and `p-low-fail`).
pub(super) const IDLE_CORES: f64 = 0.002;
/// Wake-ups per second of the app without requests: ten pings of the heartbeat, each of two threads.
const IDLE_WAKE_UPS: f64 = 20.0;
/// Threads of the app that are no workers: main, care, and two of the runtime's blocking pool.
const OTHER_THREADS: u32 = 4;
/// Smallest CPU time of a request, in seconds: CPU time is recorded to 1 ms or better.
const MIN_CPU: f64 = 5e-5;
/// Cores of the recorder's machine.
const MACHINE_CORES: f64 = 2.0;

/// Facts about the app and its machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    /// Workers of the runtime.
    pub(super) workers: u32,
    /// CPU time of a request in seconds.
    pub(super) cpu: f64,
    /// CPU quota in cores.
    pub(super) quota: Option<f64>,
    /// Cores that the machine gives.
    pub(super) cores: f64,
    /// Mean time in run queues of a wake-up in seconds.
    pub(super) wake_up_wait: f64,
}

// === impl Usual ===

impl Usual {
    /// Returns what the usual phase of a run shows; absent if it lacks a figure, or if nothing works in it.
    pub(super) fn of(recording: &Recording, endpoint: Endpoint) -> Option<Self> {
        let phase = Phase::usual(recording);
        let figures =
            PhaseFigures::of(recording, phase).filter(|usual| usual.good_per_second > 0.0)?;
        let sample = recording
            .samples
            .iter()
            .find(|sample| sample.seconds >= phase.from && sample.health().is_some())?;
        let vitals = sample.health()?.vitals.as_ref()?;
        let threads = u32::try_from(vitals.threads?).ok()?;
        let limit = vitals.cpu_limit_cores?;
        let has_quota = sample.cgroup_cpu.is_some();
        let (cores, wait) = (figures.cpu_cores?, figures.run_queue_wait_per_second?);
        let rate = figures.begun_per_second;
        Some(Self {
            workers: threads.saturating_sub(OTHER_THREADS).max(1),
            cpu: ((cores - IDLE_CORES) / rate.max(1e-3)).max(MIN_CPU),
            quota: has_quota.then_some(limit),
            cores: if has_quota { MACHINE_CORES } else { limit },
            wake_up_wait: wait / (IDLE_WAKE_UPS + endpoint.wake_ups() * rate),
        })
    }
}
