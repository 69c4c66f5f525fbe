//! Limit: the time for which a forecast has been alarming, and the load that a restart would interrupt.

use super::extraction::IDLE_RATE;
use super::reset::{Part, Reset};
use super::windows::Windows;
use crate::config::PolicyConfig;
use crate::evidence::Sustained;
use crate::features::{Feature, Features};
use crate::time::Time;

/// Forecast of a limit, and the load, at the latest reports.
#[derive(Debug, Default)]
pub(super) struct LimitDetector {
    /// Polls with an alarming forecast.
    alarming: Sustained,
    low_load: bool,
}

// === impl LimitDetector ===

impl LimitDetector {
    /// Adds a report. `alarm` is set if a forecast is alarming.
    pub(super) fn observe(
        &mut self,
        now: Time,
        alarm: bool,
        windows: &Windows,
        features: &Features,
        config: &PolicyConfig,
    ) {
        self.alarming
            .observe(now, alarm, config.evidence.hard_sustain_for);
        self.low_load = is_low_load(windows, features, config.forecast.low_load_ratio);
    }

    /// Clears the part that does not apply after an event.
    pub(super) fn reset(&mut self, event: Reset) {
        if event.clears(Part::Limit) {
            self.alarming = Sustained::default();
        }
    }

    /// Returns `true` if the forecast has been alarming for as long as a hard heal needs.
    pub(super) fn is_sustained(&self, config: &PolicyConfig) -> bool {
        self.alarming.is_firing(config.evidence.hard_sustain_for)
    }

    /// Returns `true` if a restart would have interrupted few requests at the latest report.
    pub(super) fn is_low_load(&self) -> bool {
        self.low_load
    }

    /// Returns `true` if the forecast of the latest report is alarming.
    #[cfg(test)]
    pub(super) fn is_active(&self) -> bool {
        self.alarming.is_active()
    }
}

/// Returns `true` if a restart would interrupt few requests.
fn is_low_load(windows: &Windows, features: &Features, low_load_ratio: f64) -> bool {
    let at_most_one = features
        .get(Feature::InFlight)
        .is_none_or(|in_flight| in_flight <= 1.0);
    let idle = windows.traffic.load.is_some_and(|rate| rate < IDLE_RATE);
    let low = windows
        .relative_traffic
        .load
        .is_some_and(|load| load <= low_load_ratio);
    low || (at_most_one && idle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Traffic;

    fn windows(load: f64, relative: Option<f64>) -> Windows {
        let traffic = |load| Traffic {
            load,
            ..Traffic::default()
        };
        Windows {
            fast: None,
            slow: None,
            traffic: traffic(Some(load)),
            relative_traffic: traffic(relative),
            in_flight_trend: None,
        }
    }

    fn in_flight(count: f64) -> Features {
        [(Feature::InFlight, count)].into_iter().collect()
    }

    #[test]
    fn load_is_low_by_the_baseline_or_while_idle() {
        assert!(is_low_load(&windows(40.0, Some(0.4)), &in_flight(9.0), 0.5));
        assert!(!is_low_load(
            &windows(60.0, Some(0.6)),
            &in_flight(9.0),
            0.5
        ));
        assert!(is_low_load(&windows(0.5, None), &in_flight(1.0), 0.5));
        assert!(!is_low_load(&windows(0.5, None), &in_flight(2.0), 0.5));
        assert!(!is_low_load(&windows(2.0, None), &in_flight(1.0), 0.5));
    }
}
