//! Plan of the recordings: the apps, their loads, and the lengths.

use std::time::Duration;

/// App that is recorded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Name, with which the names of its files begin.
    pub(super) name: &'static str,
    /// Worker threads of the app's runtime.
    pub(super) workers: u32,
    /// CPU limit in cores.
    pub(super) quota: f64,
    /// CPU time of the handler of a request.
    pub(super) work: Duration,
    /// Time limit of a client, from the intended start of its request.
    pub(super) client_timeout: Duration,
}

/// Apps that are recorded.
pub(super) const PLANS: [Plan; 2] = [
    Plan {
        name: "one-worker",
        workers: 1,
        quota: 0.5,
        work: Duration::from_millis(5),
        client_timeout: Duration::from_secs(2),
    },
    Plan {
        name: "two-workers",
        workers: 2,
        quota: 1.0,
        work: Duration::from_millis(10),
        client_timeout: Duration::from_secs(5),
    },
];

/// Arrival rates, relative to the measured capacity.
pub(super) const UTILISATIONS: [f64; 4] = [0.3, 0.7, 1.0, 1.3];
/// Length of one recording in seconds.
pub(super) const SECONDS: u32 = 60;
/// Utilisation of the load under which the CPU time per request is measured.
pub(super) const PARTIAL_UTILISATION: f64 = 0.4;
/// Length of the measurements of the idle app, of the CPU time per request, and of the capacity.
pub(super) const PARAMETER_TIME: Duration = Duration::from_secs(30);
/// Closed-loop clients of the measurement of the capacity.
pub(super) const SATURATING_CLIENTS: usize = 16;
