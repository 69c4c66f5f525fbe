//! Constants of one simulated service, drawn once per incident.

use healing_core::rng::Rng;

/// Upper bounds of the latency histogram's buckets in seconds (OpenTelemetry's defaults).
pub(crate) const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// Constants of one service.
#[derive(Debug, Clone)]
pub(crate) struct ServiceParams {
    /// Usual arrival rate in requests per second.
    pub(crate) rate: f64,
    /// Variability of the load: standard deviation of its logarithm.
    pub(crate) swing: f64,
    /// Median service time of a request in seconds, warm and without queueing.
    pub(crate) service: f64,
    /// Spread of the service times: standard deviation of their logarithm.
    pub(crate) spread: f64,
    /// CPU limit in cores.
    pub(crate) cores: f64,
    /// CPU time of a request in seconds.
    pub(crate) cpu_seconds: f64,
    /// Concurrency limit: connections of a pool, or permits.
    pub(crate) slots: f64,
    /// Queueing time in seconds after which a request gets the response 503.
    pub(crate) timeout: f64,
    /// Share of requests that fail without any fault.
    pub(crate) errors: f64,
    /// Share of failed requests that are retried at once.
    pub(crate) retries: f64,
    /// Memory at rest, in percent of the limit.
    pub(crate) memory: f64,
    /// Memory of filled caches, in percent of the limit.
    pub(crate) cache: f64,
    /// Time constant of the caches' filling, in seconds.
    pub(crate) cache_seconds: f64,
    /// Height of the garbage collector's sawtooth, in percent of the memory limit.
    pub(crate) saw: f64,
    /// Period of the sawtooth in seconds.
    pub(crate) saw_seconds: f64,
    /// Open descriptors at rest, in percent of the limit.
    pub(crate) fds: f64,
    /// Descriptor limit.
    pub(crate) max_fds: f64,
    /// Warm-up time of a new instance in seconds.
    pub(crate) warm_up: f64,
    /// Time between the exit of one instance and the start of the next, in seconds.
    pub(crate) start: u32,
    /// Back-off that the supervisor adds after a crash, in seconds.
    pub(crate) back_off: u32,
    /// Number of declared dependencies.
    pub(crate) dependencies: usize,
    /// Share of requests that need the first dependency.
    pub(crate) critical: f64,
    /// Set if a local check watches the pool.
    pub(crate) local_check: bool,
    /// Usual runtime lag in seconds.
    pub(crate) lag: f64,
}

impl ServiceParams {
    /// Draws a service.
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let log_between =
            |rng: &mut Rng, low: f64, high: f64| rng.between(low.ln(), high.ln()).exp();
        let rate = log_between(rng, 3.0, 400.0);
        let service = log_between(rng, 0.004, 0.12);
        let cpu_seconds = service * rng.between(0.1, 0.7);
        let cores = (rate * cpu_seconds / rng.between(0.08, 0.5)).max(0.1);
        let slots = (rate * service / rng.between(0.05, 0.35)).max(4.0);
        let errors = if rng.unit() < 0.3 {
            rng.between(0.0, 0.01)
        } else {
            rng.between(0.0, 0.002)
        };
        Self {
            rate,
            swing: rng.between(0.03, 0.2),
            service,
            spread: rng.between(0.3, 0.8),
            cores,
            cpu_seconds,
            slots,
            timeout: rng.between(2.0, 8.0),
            errors,
            retries: rng.between(0.0, 0.6),
            memory: rng.between(15.0, 50.0),
            cache: rng.between(2.0, 20.0),
            cache_seconds: rng.between(120.0, 1500.0),
            saw: rng.between(0.0, 12.0),
            saw_seconds: rng.between(20.0, 240.0),
            fds: rng.between(1.0, 20.0),
            max_fds: [1024.0, 4096.0, 65_536.0][rng.index(3)],
            warm_up: rng.between(15.0, 90.0),
            start: 2 + rng.below(4),
            back_off: 10 << rng.below(3),
            dependencies: rng.index(4),
            critical: rng.between(0.3, 1.0),
            local_check: rng.unit() < 0.6,
            lag: rng.between(0.0003, 0.004),
        }
    }
}
