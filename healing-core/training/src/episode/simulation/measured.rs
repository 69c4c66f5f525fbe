//! Figures that validate a simulation against queueing theory.

use super::cpu::CpuTotals;

/// Sums over a simulation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    /// Requests that were answered while their client waited.
    pub(crate) answered: u64,
    /// Sum of their residence times, in seconds.
    pub(crate) residence: f64,
    /// Requests whose first task was started.
    pub(crate) begun: u64,
    /// Those that waited for a worker.
    pub(crate) waited: u64,
    /// Requests skipped, because their client had left before they were begun.
    pub(crate) discarded: u64,
    /// Requests shed.
    pub(crate) shed: u64,
    /// Connections refused or dropped.
    pub(crate) refused: u64,
    /// Sum of the times from a request's begin to its end.
    pub(crate) inside: f64,
    /// Integral of the requests in flight over time.
    pub(crate) in_flight_seconds: f64,
    /// CPU time in seconds.
    pub(crate) cpu_seconds: f64,
    /// Throttled time in seconds.
    pub(crate) throttled_seconds: f64,
    /// Throttled periods of all periods.
    pub(crate) throttled_share: f64,
    /// Time for which threads waited for a core, in seconds.
    pub(crate) run_queue_seconds: f64,
    /// Time at which the kernel first killed the process, in seconds.
    pub(crate) killed_at: Option<f64>,
    /// Processes that ended.
    pub(crate) exits: u32,
}

// === impl Measured ===

impl Measured {
    #[allow(clippy::cast_precision_loss)] // small
    pub(super) fn advance(&mut self, elapsed: f64, in_flight: u64) {
        self.in_flight_seconds += elapsed * in_flight as f64;
    }

    #[allow(clippy::cast_precision_loss)] // small
    pub(super) fn finish(&mut self, cpu: &CpuTotals, seconds: f64) {
        self.cpu_seconds = cpu.used;
        self.throttled_seconds = cpu.throttled;
        self.throttled_share = cpu.throttled_periods as f64 * super::cpu::PERIOD / seconds;
        self.run_queue_seconds = cpu.run_queue;
    }
}
