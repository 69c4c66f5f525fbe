//! Symptoms of the instance: detectors of errors, panics, lag, CPU, unresponsiveness and limits.

use std::time::Duration;

use super::features::IDLE_RATE;
use super::reset::{Part, Reset};
use super::windows::Windows;
use crate::config::PolicyConfig;
use crate::evidence::{
    Detectors, ErrorDetector, ErrorSignal, Signals, Unresponsive, cpu_saturation, harm, overload,
    panics, runtime_lag,
};
use crate::features::{Feature, Features};
use crate::time::Time;

/// State of the detectors after the latest answer.
#[derive(Debug, Default)]
pub(super) struct SymptomTracker {
    pub(super) errors: ErrorDetector,
    pub(super) detectors: Detectors,
    pub(super) unresponsive: Unresponsive,
    /// Polls in a row that forecast a limit.
    pub(super) limit_polls: u32,
    pub(super) overloaded: bool,
    /// Set if clients suffer.
    pub(super) harmed: bool,
    pub(super) low_load: bool,
}

/// Figures of one answer that the detectors evaluate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures<'a> {
    pub(super) windows: &'a Windows,
    pub(super) features: &'a Features,
    /// Latency of the care port.
    pub(super) care_latency: Duration,
    /// Set if a limit will be hit.
    pub(super) limit_forecast: bool,
}

impl SymptomTracker {
    /// Adds an answer.
    pub(super) fn observe(
        &mut self,
        now: Time,
        errors: ErrorSignal,
        figures: Figures<'_>,
        config: &PolicyConfig,
    ) {
        let Figures {
            windows, features, ..
        } = figures;
        let evidence = &config.evidence;
        let (fast, slow) = (windows.fast.as_ref(), windows.slow.as_ref());
        let care_seconds = figures.care_latency.as_secs_f64();
        let harm = harm::detect(features, errors, evidence);
        self.errors.observe(now, errors);
        self.harmed = harm;
        let signals = Signals {
            panics: panics::detect(fast, slow, evidence),
            runtime_lag: runtime_lag::detect(features, harm, care_seconds, evidence),
            cpu_saturated: cpu_saturation::detect(features, harm, evidence),
        };
        self.detectors.observe(now, signals);
        self.limit_polls = if figures.limit_forecast {
            self.limit_polls.saturating_add(1)
        } else {
            0
        };
        self.overloaded = overload::detect(windows.relative, evidence);
        self.low_load = is_low_load(windows, features, config.forecast.low_load_ratio);
    }

    /// Clears the parts that an event makes meaningless.
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

    /// Reports if the latest answer shows a symptom, sustained or not.
    pub(super) fn is_symptomatic(&self) -> bool {
        self.errors.is_symptomatic() || self.detectors.is_symptomatic()
    }

    /// Returns the onset of the symptom that has lasted longest.
    pub(super) fn onset(&self) -> Option<Time> {
        [self.errors.onset(), self.detectors.onset()]
            .into_iter()
            .flatten()
            .min()
    }
}

/// Reports if a restart would interrupt few requests.
fn is_low_load(windows: &Windows, features: &Features, low_load_ratio: f64) -> bool {
    let alone = features
        .get(Feature::InFlight)
        .is_none_or(|in_flight| in_flight <= 1.0);
    let idle = windows.traffic.load.is_some_and(|rate| rate < IDLE_RATE);
    let low = windows
        .relative
        .load
        .is_some_and(|load| load <= low_load_ratio);
    low || (alone && idle)
}
