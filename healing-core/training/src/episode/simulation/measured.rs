//! Figures that validate a simulation against queueing theory.

use super::app::App;
use super::clients::Clients;
use super::cpu::PERIOD;

/// Sums over a simulation.
#[derive(Debug, Clone, Default)]
#[cfg_attr(not(test), allow(dead_code))] // read by tests alone
pub(crate) struct Measured {
    /// Requests that got a response while their client waited.
    pub(crate) answered: u64,
    /// Sum of their residence times, in seconds.
    pub(crate) residence: f64,
    /// Requests whose first task was started.
    pub(crate) begun: u64,
    /// Requests among them that waited for a worker.
    pub(crate) waited: u64,
    /// Requests skipped, because their client had left before they were begun.
    pub(crate) discarded: u64,
    /// Requests shed.
    pub(crate) shed: u64,
    /// Connections refused or dropped.
    pub(crate) refused: u64,
    /// Sum of the times from a request's begin to its end, in seconds.
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
    /// Number of exits of the process.
    pub(crate) exits: u32,
}

// === impl Measured ===

impl Measured {
    /// Returns the sums over a simulation of `seconds`.
    #[allow(clippy::cast_precision_loss)] // small
    pub(super) fn of(clients: &Clients<'_>, app: &App<'_>, seconds: f64) -> Self {
        let requests = app.pipeline.counts;
        let cpu = app.cpu.totals;
        Self {
            answered: clients.counts.answered(),
            residence: clients.residence,
            begun: requests.begun,
            waited: requests.waited,
            discarded: requests.discarded,
            shed: requests.shed,
            refused: clients.counts.refused + requests.dropped,
            inside: requests.inside,
            in_flight_seconds: requests.in_flight_seconds,
            cpu_seconds: cpu.used,
            throttled_seconds: cpu.throttled,
            throttled_share: cpu.throttled_periods as f64 * PERIOD / seconds,
            run_queue_seconds: cpu.run_queue,
            killed_at: app.killed_at,
            exits: app.exits,
        }
    }
}
