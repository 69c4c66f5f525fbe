//! Soft heal: the app runs its hooks and resets its error count, and the process keeps running.

use std::time::Duration;

use healing_core::decision::{Action, TreatmentReport, TreatmentResult};
use healing_core::heal::HealAction;
use serde_json::json;
use tokio::time::Instant;

use crate::app_client::{App, CareError};
use crate::config::Settings;
use crate::heartbeat::Heartbeat;
use crate::recorder::Recorder;
use crate::timed_policy::TimedPolicy;

/// Executor of soft heals.
#[derive(Debug)]
pub(crate) struct SoftHeal {
    timeout: Duration,
    heartbeat: Heartbeat,
}

impl SoftHeal {
    pub(crate) fn new(settings: &Settings, heartbeat: Heartbeat) -> Self {
        Self {
            timeout: settings.heal_timeout,
            heartbeat,
        }
    }

    /// Requests the soft heal and reports its result. The policy judges from later reports if it
    /// *helped*.
    pub(crate) async fn run(
        &self,
        app: &impl App,
        policy: &mut TimedPolicy,
        recorder: &mut Recorder,
    ) {
        let begin = Instant::now();
        let response = app.heal(HealAction::ResetErrors, self.timeout).await;
        self.heartbeat.beat();
        let took = begin.elapsed();
        let (result, detail) = match response {
            Ok(response) => {
                let failed: Vec<&str> = response
                    .hooks
                    .iter()
                    .filter(|hook| !hook.ok)
                    .map(|hook| hook.name.as_str())
                    .collect();
                if failed.is_empty() {
                    tracing::info!(message = %response.message, ?took, "soft heal");
                } else {
                    tracing::warn!(?failed, message = %response.message, ?took, "soft heal: hooks failed");
                }
                // Failed hooks may have healed in part, so the effect is judged as after a success.
                (TreatmentResult::Done, json!({"response": response}))
            }
            Err(error) => {
                tracing::warn!(%error, ?took, "soft heal failed");
                (result_of(&error), json!({"error": error.to_string()}))
            }
        };
        let treatment = TreatmentReport {
            action: Action::ResetErrors,
            result,
        };
        policy.report_treatment(treatment);
        recorder.note(
            "treatment",
            &json!({
                "treatment": treatment,
                "took_seconds": took.as_secs_f64(),
                "detail": detail,
            }),
        );
    }
}

/// Returns `Aborted` for a soft heal that certainly did not begin, otherwise `Failed`.
fn result_of(error: &CareError) -> TreatmentResult {
    if error.certainly_not_begun() {
        TreatmentResult::Aborted
    } else {
        TreatmentResult::Failed
    }
}

#[cfg(test)]
mod tests;
