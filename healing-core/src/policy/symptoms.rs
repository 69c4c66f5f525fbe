//! Symptoms of the instance: detectors of errors, panics, failing routes, front-door failures, unresponsiveness and limit
//! forecasts.

use super::extraction::IDLE_RATE;
use super::reset::{Part, Reset};
use super::windows::Windows;
use crate::config::PolicyConfig;
use crate::decision::Reason;
use crate::evidence::{
    ErrorDetector, ErrorSignal, Evidence, FrontDoorDetector, RouteDetector, StallDetector,
    Sustained, Unresponsive, panics,
};
use crate::features::{Feature, Features};
use crate::impairment::Assessment;
use crate::time::Time;

/// State of the detectors after the latest poll.
#[derive(Debug, Default)]
pub(super) struct SymptomTracker {
    pub(super) errors: ErrorDetector,
    pub(super) panics: Sustained,
    pub(super) routes: RouteDetector,
    pub(super) front_door: FrontDoorDetector,
    pub(super) stall: StallDetector,
    pub(super) unresponsive: Unresponsive,
    /// Polls with an alarming forecast.
    pub(super) limit: Sustained,
    pub(super) low_load: bool,
}

/// Input of the detectors from one report.
#[derive(Debug, Clone, Copy)]
pub(super) struct DetectorInput<'a> {
    pub(super) windows: &'a Windows,
    pub(super) features: &'a Features,
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
        let hard = evidence.hard_sustain_for;
        self.errors.observe(now, errors, evidence);
        let panics = panics::detect(windows.fast.as_ref(), windows.slow.as_ref(), evidence);
        self.panics.observe(now, panics, hard);
        self.limit.observe(now, input.limit_alarm, hard);
        self.low_load = is_low_load(windows, features, config.forecast.low_load_ratio);
    }

    /// Clears the state that an event invalidates.
    pub(super) fn reset(&mut self, event: Reset) {
        if event.clears(Part::Detectors) {
            self.errors.reset();
            self.panics = Sustained::default();
        }
        if event == Reset::AppStart || event == Reset::CounterReset {
            self.routes.reset();
        } else if event.clears(Part::Detectors) {
            self.routes.cut();
        }
        if event.clears(Part::Unresponsive) {
            self.front_door.reset();
            self.stall.reset();
            self.unresponsive.reset();
        }
        if event.clears(Part::Limit) {
            self.limit = Sustained::default();
        }
    }

    /// Returns `true` if the latest report shows errors, panics, a failing route or a failing front door, sustained or not.
    pub(super) fn is_symptomatic(&self) -> bool {
        self.errors.is_symptomatic()
            || self.panics.is_active()
            || self.routes.is_symptomatic()
            || self.front_door.is_symptomatic()
    }

    /// Returns `true` if one route fails entirely, and the others do not suffer.
    pub(super) fn only_a_route_fails(&self) -> bool {
        self.routes.worst().is_some_and(|worst| worst.is_alone)
    }

    /// Returns the evidence for treatments of an app that sends reports. One route alone does not justify a
    /// restart.
    pub(super) fn evidence(&self, impairment: Assessment, config: &PolicyConfig) -> Evidence {
        let evidence = &config.evidence;
        let only_a_route = self.only_a_route_fails();
        let errors = self.errors.soft_evidence(evidence);
        let route = self.routes.is_soft_evidence(config);
        let soft = if route && (only_a_route || errors.is_none()) {
            Some(Reason::WorstRoute)
        } else {
            errors.or(impairment.soft)
        };
        let panics = !only_a_route && self.panics.is_firing(evidence.hard_sustain_for);
        let impaired = impairment.hard.filter(|_| !only_a_route);
        let demand_not_met = impaired == Some(Reason::Impaired);
        let hard = self
            .front_door
            .hard_evidence(demand_not_met, evidence)
            .or(panics.then_some(Reason::RepeatedPanics))
            .or(impaired);
        Evidence { soft, hard }
    }

    /// Returns the earliest onset of an active symptom.
    pub(super) fn onset(&self) -> Option<Time> {
        [
            self.errors.onset(),
            self.panics.onset(),
            self.routes.onset(),
            self.front_door.onset(),
        ]
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
}
