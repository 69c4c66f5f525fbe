//! Treatments of the app.

mod drain;
mod hard;
mod soft;

use healing_core::decision::{Action, TreatmentReport, TreatmentResult};
use serde_json::json;

pub(crate) use self::drain::Drain;
pub(crate) use self::hard::{ExitForRestart, HardHeal, HardHealResult};
pub(crate) use self::soft::SoftHeal;
use crate::recorder::Recorder;
use crate::store::Store;
use crate::timed_policy::TimedPolicy;

/// Parts of the doctor that a hard heal and the resolution of its intent use and change.
pub(crate) struct Context<'a, A> {
    pub(crate) app: &'a A,
    pub(crate) policy: &'a mut TimedPolicy,
    pub(crate) store: &'a mut Store,
    pub(crate) recorder: &'a mut Recorder,
}

impl<A> Context<'_, A> {
    /// Reports the progress of a restart to policy and journal.
    pub(crate) fn report_restart(&mut self, result: TreatmentResult) {
        let treatment = TreatmentReport {
            action: Action::RestartService,
            result,
        };
        self.policy.report_treatment(treatment);
        self.recorder
            .note("treatment", &json!({"treatment": treatment}));
    }

    /// Saves the state if it changed.
    pub(crate) fn save(&mut self) {
        self.store.save(self.policy.state());
    }
}
