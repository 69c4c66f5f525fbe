//! The hand-written trend rule as a decider: on the features of a policy whose own decisions are ignored.

use super::guard::PlainGuard;
use crate::episode::Decider;
use healing_core::decision::{Action, TreatmentReport, TreatmentResult};
use healing_core::observation::{Now, Observation};

/// Source of the trend rule's action for an observation.
pub(super) trait TrendSource: Decider {
    /// Returns the rule's action, before any guard.
    fn trend(&mut self, now: Now, observation: &Observation) -> Action;
}

/// Trend rule under a [`PlainGuard`].
#[derive(Debug)]
pub(super) struct Trend<S> {
    source: S,
    guard: PlainGuard,
    /// TreatmentReport that was reported as started and not yet as ended.
    started: Option<Action>,
}

impl<S> Trend<S> {
    /// Returns the rule on this source.
    pub(super) fn new(source: S) -> Self {
        Self {
            source,
            guard: PlainGuard::default(),
            started: None,
        }
    }
}

impl<S: TrendSource> Decider for Trend<S> {
    fn poll(&mut self, now: Now, observation: &Observation) -> Action {
        let action = self.source.trend(now, observation);
        self.guard.permit(now.monotonic, action)
    }

    fn report(&mut self, now: Now, treatment: TreatmentReport) {
        self.source.report(now, treatment);
        match treatment.result {
            TreatmentResult::Aborted => {}
            TreatmentResult::Started => {
                self.started = Some(treatment.action);
                self.guard.record(now.monotonic, treatment.action);
            }
            TreatmentResult::Done | TreatmentResult::Failed => {
                if self.started != Some(treatment.action) {
                    self.guard.record(now.monotonic, treatment.action);
                }
                self.started = None;
            }
        }
    }
}
