//! Limit: the time for which a forecast has been alarming, and the load that a restart would interrupt.

use super::extraction::IDLE_RATE;
use super::reports::PolledReport;
use super::reset::{Part, Reset};
use super::windows::Windows;
use crate::config::PolicyConfig;
use crate::evidence::Sustained;
use crate::time::Time;

/// Forecast of a limit, and the load, at the latest reports.
#[derive(Debug, Default)]
pub(super) struct LimitDetector {
    /// Polls with an alarming forecast.
    pub(super) alarming: Sustained,
    low_load: bool,
}

// === impl LimitDetector ===

impl LimitDetector {
    /// Adds a report. `alarm` is set if a forecast is alarming.
    pub(super) fn observe(
        &mut self,
        now: Time,
        alarm: bool,
        report: PolledReport<'_>,
        config: &PolicyConfig,
    ) {
        self.alarming
            .observe(now, alarm, config.evidence.hard_sustain_for);
        let PolledReport {
            health, windows, ..
        } = report;
        self.low_load = is_low_load(windows, health.in_flight, config.forecast.low_load_ratio);
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
}

/// Returns `true` if a restart would interrupt few requests.
fn is_low_load(windows: &Windows, in_flight: Option<u64>, low_load_ratio: f64) -> bool {
    let at_most_one = in_flight.is_none_or(|in_flight| in_flight <= 1);
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

    #[test]
    fn load_is_low_by_the_baseline_or_while_idle() {
        assert!(is_low_load(&windows(40.0, Some(0.4)), Some(9), 0.5));
        assert!(!is_low_load(&windows(60.0, Some(0.6)), Some(9), 0.5));
        assert!(is_low_load(&windows(0.5, None), Some(1), 0.5));
        assert!(!is_low_load(&windows(0.5, None), Some(2), 0.5));
        assert!(!is_low_load(&windows(2.0, None), Some(1), 0.5));
    }
}
