//! Baseline of an app: its usual load and latency, averaged slowly over its healthy times.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Averages over about [`MEMORY`] of healthy time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    /// Healthy seconds that the averages are made of, at most [`MEMORY`].
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
        // A gap between polls was not observed.
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

    /// Returns the ratios of `traffic` to the baseline, once it has learned for a whole `window`.
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
