//! Windows of one poll: each delta, load and quantile is computed once.

use crate::baseline::{Baseline, Traffic};
use crate::config::PolicyConfig;
use crate::slope::{self, POINTS};
use crate::window::{Delta, History};

/// Requests in the fast window below which latency is unknown.
const MIN_LATENCY_REQUESTS: u64 = 20;

/// Windows that end at the latest sample.
#[derive(Debug)]
pub(super) struct Windows {
    pub(super) fast: Option<Delta>,
    pub(super) slow: Option<Delta>,
    /// Load and latency in the fast window.
    pub(super) traffic: Traffic,
    /// Ratios of `traffic` to the baseline.
    pub(super) relative: Traffic,
    /// Growth of the requests in flight over the slow window, per second.
    pub(super) in_flight_trend: Option<f64>,
}

impl Windows {
    pub(super) fn new(history: &History, baseline: &Baseline, config: &PolicyConfig) -> Self {
        let fast = history.delta(config.fast_window);
        let traffic = fast
            .as_ref()
            .map_or_else(Traffic::default, |fast| traffic(history, fast));
        Self {
            slow: history.delta(config.slow_window),
            fast,
            traffic,
            relative: baseline.compare(traffic, config.slow_window),
            in_flight_trend: in_flight_trend(history, config),
        }
    }
}

fn traffic(history: &History, fast: &Delta) -> Traffic {
    let enough = fast
        .requests
        .is_some_and(|requests| requests >= MIN_LATENCY_REQUESTS);
    let quantile = |quantile| enough.then(|| history.quantile(fast, quantile)).flatten();
    Traffic {
        load: fast.per_second(fast.arrivals),
        p50: quantile(0.5),
        p99: quantile(0.99),
    }
}

fn in_flight_trend(history: &History, config: &PolicyConfig) -> Option<f64> {
    let mut points = [(0.0_f32, 0.0_f32); POINTS];
    let total = history.in_flight(config.slow_window).count();
    let stride = total.div_ceil(POINTS).max(1);
    let sampled = history.in_flight(config.slow_window).step_by(stride);
    let mut len = 0;
    for (point, sample) in points.iter_mut().zip(sampled) {
        *point = sample;
        len += 1;
    }
    slope::fit(&points[..len]).map(|line| line.slope)
}
