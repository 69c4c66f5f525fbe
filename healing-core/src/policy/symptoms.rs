//! Symptoms of the instance: detectors of errors, panics, failing routes, front-door failures and
//! unresponsiveness.

use super::reports::PolledReport;
use super::reset::{Part, Reset};
use super::series::Series;
use super::state::KnownApp;
use crate::config::{EvidenceConfig, PolicyConfig};
use crate::decision::Reason;
use crate::evidence::{
    ErrorDetector, ErrorSignal, ErrorWindows, Evidence, FrontDoorDetector, RouteDetector,
    StallDetector, Sustained, Unresponsive, availability, front_door, panics,
};
use crate::impairment::Assessment;
use crate::lane::{Classified, serves};
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
}

// === impl SymptomTracker ===

impl SymptomTracker {
    /// Adds a report. Returns `true` if the app serves well by it, `None` if it had no requests.
    pub(super) fn observe(
        &mut self,
        now: Time,
        report: PolledReport<'_>,
        series: &Series,
        app: &KnownApp,
        config: &PolicyConfig,
    ) -> Option<bool> {
        let PolledReport {
            health, windows, ..
        } = report;
        let evidence = &config.evidence;
        self.observe_doors(now, report, app.instance.has_answered, evidence);
        self.routes.observe(now, health, config);
        let error_windows = ErrorWindows {
            fast: windows.fast.as_ref(),
            slow: windows.slow.as_ref(),
            grown: series.errors.grown(config),
        };
        let errors = ErrorSignal::evaluate(error_windows, &app.usual_errors, evidence);
        self.errors.observe(now, errors, evidence);
        let panics = panics::detect(windows.fast.as_ref(), windows.slow.as_ref(), evidence);
        self.panics.observe(now, panics, evidence.hard_sustain_for);
        let is_ill = self.panics.is_active() || self.front_door.is_symptomatic();
        let serves = availability::serves(windows.slow.as_ref(), errors, evidence.count_share)?;
        Some(serves && !is_ill)
    }

    /// Adds a report to the detectors of stalls and of a failing front door.
    fn observe_doors(
        &mut self,
        now: Time,
        report: PolledReport<'_>,
        has_answered: bool,
        config: &EvidenceConfig,
    ) {
        let PolledReport {
            health, front_door, ..
        } = report;
        let runtime = health.runtime.as_ref();
        let answers = front_door::answers(front_door);
        self.stall
            .observe(now, runtime, answers, config.hang_timeout);
        // Before the first answer, the app is starting, for however long.
        if has_answered {
            self.front_door
                .observe(now, front_door, health, serves(health), config);
        }
    }

    /// Clears the state that an event invalidates.
    pub(super) fn reset(&mut self, event: Reset) {
        if event.clears(Part::Detectors) {
            self.errors.reset();
            self.panics = Sustained::default();
            self.routes.cut();
        }
        if event.clears(Part::Routes) {
            self.routes.reset();
        }
        if event.clears(Part::Unresponsive) {
            self.front_door.reset();
            self.stall.reset();
            self.unresponsive.reset();
        }
    }

    /// Returns `true` if the latest report shows errors, panics, a failing route or a failing front door,
    /// sustained or not.
    pub(super) fn is_symptomatic(&self) -> bool {
        self.errors.is_symptomatic()
            || self.panics.is_active()
            || self.routes.is_symptomatic()
            || self.front_door.is_symptomatic()
    }

    /// Returns `true` if one route fails entirely, and the others do not suffer.
    fn only_a_route_fails(&self) -> bool {
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

    /// Returns `true` if the error ratio has been high for long enough for a hard heal, and not by one route
    /// alone.
    pub(super) fn is_ratio_sustained(&self, config: &EvidenceConfig) -> bool {
        !self.only_a_route_fails() && self.errors.is_ratio_sustained(config)
    }

    /// Returns the evidence for a restart of an unresponsive app. `same_process` is set if the process that
    /// sent the latest report is known to run.
    pub(super) fn unresponsive_evidence(
        &self,
        classified: Classified,
        same_process: bool,
        config: &EvidenceConfig,
    ) -> Option<Reason> {
        let stall_proven = self.stall.is_proven();
        self.unresponsive
            .hard_evidence(classified, stall_proven, same_process, config)
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
