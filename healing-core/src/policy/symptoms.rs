//! Symptoms of the instance: detectors of errors, panics, runtime lag, CPU saturation, unresponsiveness
//! and limit forecasts.

use std::time::Duration;

use super::extraction::IDLE_RATE;
use super::reset::{Part, Reset};
use super::windows::Windows;
use crate::config::PolicyConfig;
use crate::evidence::{
    Detectors, ErrorDetector, ErrorSignal, Signals, Unresponsive, cpu_saturation, harm, overload,
    panics, runtime_lag,
};
use crate::features::{Feature, Features};
use crate::time::Time;

/// State of the detectors after the latest report.
#[derive(Debug, Default)]
pub(super) struct SymptomTracker {
    pub(super) errors: ErrorDetector,
    pub(super) detectors: Detectors,
    pub(super) unresponsive: Unresponsive,
    /// Consecutive polls with an alarming forecast.
    pub(super) limit_polls: u32,
    pub(super) overloaded: bool,
    /// Set if clients are harmed.
    pub(super) harmed: bool,
    pub(super) low_load: bool,
}

/// Input of the detectors from one report.
#[derive(Debug, Clone, Copy)]
pub(super) struct DetectorInput<'a> {
    pub(super) windows: &'a Windows,
    pub(super) features: &'a Features,
    /// Latency of the care port.
    pub(super) care_latency: Duration,
    /// Set if a forecast is alarming.
    pub(super) limit_alarm: bool,
}

impl SymptomTracker {
    /// Adds a report.
    pub(super) fn observe(
        &mut self,
        now: Time,
        errors: ErrorSignal,
        input: DetectorInput<'_>,
        config: &PolicyConfig,
    ) {
        let DetectorInput {
            windows, features, ..
        } = input;
        let evidence = &config.evidence;
        let (fast, slow) = (windows.fast.as_ref(), windows.slow.as_ref());
        let care_seconds = input.care_latency.as_secs_f64();
        let harm = harm::detect(features, errors, evidence);
        self.errors.observe(now, errors);
        self.harmed = harm;
        let signals = Signals {
            panics: panics::detect(fast, slow, evidence),
            runtime_lag: runtime_lag::detect(features, harm, care_seconds, evidence),
            cpu_saturated: cpu_saturation::detect(features, harm, evidence),
        };
        self.detectors.observe(now, signals);
        self.limit_polls = if input.limit_alarm {
            self.limit_polls.saturating_add(1)
        } else {
            0
        };
        self.overloaded = overload::detect(windows.relative_traffic, evidence);
        self.low_load = is_low_load(windows, features, config.forecast.low_load_ratio);
    }

    /// Clears the state that an event invalidates.
    pub(super) fn reset(&mut self, event: Reset) {
        if event.clears(Part::Detectors) {
            self.errors.reset();
            self.detectors.reset();
        }
        if event.clears(Part::Unresponsive) {
            self.unresponsive.reset();
        }
        if event.clears(Part::LimitPolls) {
            self.limit_polls = 0;
        }
    }

    /// Returns `true` if the latest report shows errors or a symptom of the detectors, sustained or not.
    pub(super) fn is_symptomatic(&self) -> bool {
        self.errors.is_symptomatic() || self.detectors.is_symptomatic()
    }

    /// Returns the earliest onset of an active symptom.
    pub(super) fn onset(&self) -> Option<Time> {
        [self.errors.onset(), self.detectors.onset()]
            .into_iter()
            .flatten()
            .min()
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

    #[test]
    fn limit_alarm_counts_consecutive_polls() {
        let mut symptoms = SymptomTracker::default();
        let config = PolicyConfig::default();
        let windows = windows(100.0, None);
        for (limit_alarm, expected) in [(true, 1), (true, 2), (false, 0), (true, 1)] {
            let input = DetectorInput {
                windows: &windows,
                features: &Features::EMPTY,
                care_latency: Duration::ZERO,
                limit_alarm,
            };
            symptoms.observe(Time::default(), ErrorSignal::default(), input, &config);
            assert_eq!(symptoms.limit_polls, expected);
        }
    }
}
