//! Soft heal: the app runs its owner's hooks and zeroes its error count; the process stays.

use healing_core::decision::{Action, Treatment, TreatmentResult};
use healing_core::health::HealAction;
use serde_json::json;
use tokio::time::Instant;

use super::care::CareError;
use super::patient::Doctor;

impl Doctor {
    /// Ask for it, and report to the policy how it went. Whether it *helped* is judged later, from
    /// what the app says afterwards.
    pub(super) async fn soft_heal(&mut self) {
        let begin = Instant::now();
        let answer = self
            .care
            .ask(HealAction::ResetErrors, self.settings.heal_timeout)
            .await;
        self.shared.heartbeat.beat();
        let took = begin.elapsed();
        let (result, entry) = match answer {
            Ok(done) => {
                let failed: Vec<&str> = done
                    .hooks
                    .iter()
                    .filter(|hook| !hook.ok)
                    .map(|hook| hook.name.as_str())
                    .collect();
                if failed.is_empty() {
                    tracing::info!(message = %done.message, ?took, "soft heal");
                } else {
                    tracing::warn!(?failed, message = %done.message, ?took, "soft heal: hooks failed");
                }
                // A hook that failed may have healed in part: what comes of it is judged alike.
                (TreatmentResult::Done, json!({"answer": done}))
            }
            Err(error) => {
                tracing::warn!(%error, ?took, "the soft heal did not happen");
                (result_of(&error), json!({"error": error.to_string()}))
            }
        };
        let treatment = Treatment {
            action: Action::ResetErrors,
            result,
        };
        self.policy.report_treatment(self.clock.now(), treatment);
        self.note(
            "treatment",
            &json!({
                "treatment": treatment,
                "took_seconds": took.as_secs_f64(),
                "detail": entry,
            }),
        );
    }
}

/// What certainly did not begin is aborted; where it may have begun, it failed.
fn result_of(error: &CareError) -> TreatmentResult {
    if error.certainly_not_begun() {
        TreatmentResult::Aborted
    } else {
        TreatmentResult::Failed
    }
}
