//! Baseline of an app: its usual load and latency, averaged over the time in which it is healthy.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Averages over about [`MEMORY`] of healthy time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    /// Healthy time that the averages cover, in seconds, at most [`MEMORY`].
    learned: f64,
    load: Option<f64>,
    p50: Option<f64>,
    p99: Option<f64>,
}

/// Load and latency of one window, or their ratios to the baseline.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Traffic {
    /// Arrivals per second.
    pub(crate) load: Option<f64>,
    /// Median latency, in seconds.
    pub(crate) p50: Option<f64>,
    /// 99th percentile of the latency, in seconds.
    pub(crate) p99: Option<f64>,
}

/// Time constant of the averages, in seconds.
const MEMORY: f64 = 600.0;

impl Baseline {
    /// Adds `seconds` of healthy time.
    pub(crate) fn learn(&mut self, traffic: Traffic, seconds: f64) {
        // The values do not represent a long gap between polls.
        let seconds = seconds.clamp(0.0, 60.0);
        self.learned = (self.learned + seconds).min(MEMORY);
        if self.learned <= 0.0 {
            return;
        }
        let weight = (seconds / self.learned).clamp(0.0, 1.0);
        let blend = |average: &mut Option<f64>, value: Option<f64>| {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                *average =
                    Some(average.map_or(value, |average| average + weight * (value - average)));
            }
        };
        blend(&mut self.load, traffic.load);
        blend(&mut self.p50, traffic.p50);
        blend(&mut self.p99, traffic.p99);
    }

    /// Returns the ratios of `traffic` to the baseline. They are unknown until the baseline covers a whole
    /// `window`.
    pub(crate) fn compare(&self, traffic: Traffic, window: Duration) -> Traffic {
        if self.learned < window.as_secs_f64() {
            return Traffic::default();
        }
        let ratio = |value: Option<f64>, usual: Option<f64>| {
            let usual = usual.filter(|&usual| usual > 0.0)?;
            Some(value? / usual)
        };
        Traffic {
            load: ratio(traffic.load, self.load),
            p50: ratio(traffic.p50, self.p50),
            p99: ratio(traffic.p99, self.p99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn baseline_compares_only_after_a_whole_window() {
        let window = Duration::from_secs(60);
        let usual = Traffic {
            load: Some(100.0),
            p50: Some(0.01),
            p99: None,
        };
        let mut baseline = Baseline::default();
        baseline.learn(usual, 30.0);
        assert_eq!(baseline.compare(usual, window).load, None);
        baseline.learn(usual, 30.0);
        let now = Traffic {
            load: Some(250.0),
            p50: Some(0.005),
            p99: Some(1.0),
        };
        let compared = baseline.compare(now, window);
        assert_eq!(
            (compared.load, compared.p50, compared.p99),
            (Some(2.5), Some(0.5), None)
        );
    }

    #[test]
    fn baseline_hardly_changes_within_a_minute() {
        let mut baseline = Baseline::default();
        let load = |load| Traffic {
            load: Some(load),
            ..Traffic::default()
        };
        for _ in 0..1000 {
            baseline.learn(load(100.0), 5.0);
        }
        for _ in 0..12 {
            baseline.learn(load(200.0), 5.0);
        }
        let now = baseline
            .compare(load(200.0), Duration::from_secs(60))
            .load
            .unwrap();
        assert!(now > 1.7, "{now}");
    }
}
