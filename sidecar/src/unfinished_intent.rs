//! Resolution of an unfinished hard heal: its intent was found at the start of the doctor, or it waits for
//! a condemned app to shut down.
//!
//! | report | meaning | consequence |
//! |---|---|---|
//! | another instance | the app was restarted | the policy judges it during probation |
//! | same instance, condemned | the app is shutting down | the intent stays |
//! | same instance | the doctor died before its exit, or the pod does not restart on exit 88 | the app is undrained and the heal is recorded as aborted |

use healing_core::decision::TreatmentResult;
use healing_core::health::Health;
use healing_core::observation::ProbeResult;
use serde_json::json;

use crate::app_client::App;
use crate::config::Restart;
use crate::treatment::{Context, Drain};

/// Resolves an unfinished intent when the app reports.
pub(crate) async fn resolve(
    context: &mut Context<'_, impl App>,
    drain: &Drain,
    care: &ProbeResult<Health>,
) {
    let (Some(intent), ProbeResult::Valid(health, _)) = (context.store.intent().cloned(), care)
    else {
        return;
    };
    if !intent.targets(health, context.policy.now().wall) {
        tracing::info!(
            before = intent.instance_id,
            after = health.instance_id,
            reason = intent.reason,
            "the app was restarted and is on probation"
        );
        context.recorder.note(
            "restarted",
            &json!({"intent": intent, "instance_id": health.instance_id, "pid": health.pid}),
        );
        context.store.clear_intent();
    } else if intent.restart == Restart::Liveness && health.condemned {
        return;
    } else if intent.may_have_drained() && !drain.undrain(context.app).await {
        return; // the next poll retries
    } else {
        tracing::warn!(
            instance_id = intent.instance_id,
            reason = intent.reason,
            restart = ?intent.restart,
            "a hard heal was begun, but the app was not restarted; check that the pod restarts it on exit 88 (or on liveness failure)"
        );
        context.store.clear_intent();
        context.report_restart(TreatmentResult::Aborted);
        context.recorder.note(
            "aborted",
            &json!({"reason": "the same instance is still running", "intent": intent}),
        );
    }
    context.save();
}

#[cfg(test)]
mod tests;
