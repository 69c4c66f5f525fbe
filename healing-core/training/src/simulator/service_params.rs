//! What one simulated service is like: drawn once for an incident, the same through all of it.

use healing_core::rng::Rng;

/// Upper bounds of the latency histogram in seconds: OpenTelemetry's.
pub(super) const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// A service's constants.
#[derive(Debug, Clone)]
pub(super) struct Character {
    /// Requests per second at a usual moment.
    pub(super) rate: f64,
    /// How much the load wanders: standard deviation of its logarithm.
    pub(super) swing: f64,
    /// Median duration of a request in seconds, warm and without a queue.
    pub(super) service: f64,
    /// Spread of the durations: standard deviation of their logarithm.
    pub(super) spread: f64,
    /// CPU limit in cores.
    pub(super) cores: f64,
    /// CPU seconds a request takes.
    pub(super) cpu_seconds: f64,
    /// Requests that can be worked on at once (connections of a pool, permits).
    pub(super) slots: f64,
    /// Seconds after which waiting is given up, answered 503.
    pub(super) timeout: f64,
    /// Share of requests that fail on a good day.
    pub(super) errors: f64,
    /// How many of the failed requests come again at once.
    pub(super) retries: f64,
    /// Memory in percent of the limit: at rest,
    pub(super) memory: f64,
    /// what caches add as they fill,
    pub(super) cache: f64,
    /// over so many seconds,
    pub(super) cache_seconds: f64,
    /// and the collector's sawtooth: height
    pub(super) saw: f64,
    /// and period.
    pub(super) saw_seconds: f64,
    /// Descriptors in percent of the limit, at rest.
    pub(super) fds: f64,
    /// Descriptors' limit.
    pub(super) max_fds: f64,
    /// Seconds until a new instance is warm.
    pub(super) warm_up: f64,
    /// Seconds from the end of one instance to the start of the next.
    pub(super) start: u32,
    /// What the supervisor adds after an unplanned end.
    pub(super) back_off: u32,
    /// Declared dependencies.
    pub(super) dependencies: usize,
    /// Share of the requests that cannot do without the first of them.
    pub(super) critical: f64,
    /// A local check watches the pool.
    pub(super) local_check: bool,
    /// Usual lateness of the runtime in seconds.
    pub(super) lag: f64,
}

impl Character {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let log_between =
            |rng: &mut Rng, low: f64, high: f64| rng.between(low.ln(), high.ln()).exp();
        let rate = log_between(rng, 3.0, 400.0);
        let service = log_between(rng, 0.004, 0.12);
        let cpu_seconds = service * rng.between(0.1, 0.7);
        let cores = (rate * cpu_seconds / rng.between(0.08, 0.5)).max(0.1);
        let slots = (rate * service / rng.between(0.05, 0.35)).max(4.0);
        let noisy_errors = if rng.unit() < 0.3 {
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
            errors: noisy_errors,
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
