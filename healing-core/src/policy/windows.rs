//! Windows of one poll. Each delta, load and quantile is computed once.

use crate::baseline::{Baseline, Traffic};
use crate::config::PolicyConfig;
use crate::slope::{self, POINTS};
use crate::window::{Delta, History};

/// Minimum number of requests in the fast window to compute latency.
const MIN_LATENCY_REQUESTS: u64 = 20;

/// Windows that end at the latest sample.
#[derive(Debug)]
pub(super) struct Windows {
    pub(super) fast: Option<Delta>,
    pub(super) slow: Option<Delta>,
    /// Load and latency in the fast window.
    pub(super) traffic: Traffic,
    /// Ratios of `traffic` to the baseline.
    pub(super) relative_traffic: Traffic,
    /// Rise of the requests in flight over the slow window, per second.
    pub(super) in_flight_trend: Option<f64>,
}

impl Windows {
    /// Computes the windows that end at the latest sample.
    pub(super) fn new(history: &History, baseline: &Baseline, config: &PolicyConfig) -> Self {
        let fast = history.delta(config.fast_window);
        let traffic = fast
            .as_ref()
            .map_or_else(Traffic::default, |fast| traffic(history, fast));
        Self {
            slow: history.delta(config.slow_window),
            fast,
            traffic,
            relative_traffic: baseline.compare(traffic, config.slow_window),
            in_flight_trend: in_flight_trend(history, config),
        }
    }
}

/// Returns load and latency in the fast window.
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

/// Returns the rise of the requests in flight over the slow window, per second.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::{Health, Latency, Totals};
    use crate::time::Time;
    use crate::window::Sample;

    fn history(requests_per_poll: u64) -> History {
        let mut history = History::new(Duration::from_secs(60));
        for poll in 0..20_u64 {
            let health = Health {
                totals: Totals {
                    requests_total: Some(requests_per_poll * poll),
                    errors_total: Some(0),
                    ..Totals::default()
                },
                in_flight: Some(2 * poll),
                latency: Some(Latency {
                    bounds_seconds: vec![0.1],
                    counts: vec![requests_per_poll * poll, 0],
                }),
                ..Health::default()
            };
            let at = Time::default() + Duration::from_secs(5 * poll);
            history.push(Sample::of(&health, at), health.latency.as_ref());
        }
        history
    }

    #[test]
    fn windows_hold_load_latency_and_trend() {
        let config = PolicyConfig::default();
        let windows = Windows::new(&history(50), &Baseline::default(), &config);
        assert_eq!(windows.fast.unwrap().requests, Some(100));
        assert_eq!(windows.slow.unwrap().requests, Some(600));
        assert_eq!(
            windows.traffic.load,
            Some(10.4),
            "with the rise of requests in flight"
        );
        assert!((windows.traffic.p50.unwrap() - 0.05).abs() < 1e-9);
        assert_eq!(
            windows.relative_traffic,
            Traffic::default(),
            "no baseline yet"
        );
        assert!((windows.in_flight_trend.unwrap() - 0.4).abs() < 1e-6);
    }

    #[test]
    fn latency_is_unknown_with_few_requests() {
        let config = PolicyConfig::default();
        let windows = Windows::new(&history(9), &Baseline::default(), &config);
        assert_eq!((windows.traffic.p50, windows.traffic.p99), (None, None));
    }
}
