//! Recovery from an unfinished hard heal: settles the intent that the doctor found at its start, or
//! that waits for a condemned app.
//!
//! | answer | meaning | consequence |
//! |---|---|---|
//! | another instance | the app was restarted | the policy judges its recovery |
//! | same instance, condemned | it is about to end | the intent stays |
//! | same instance | the doctor died before its exit, or nothing here restarts on exit 88 | undrain, aborted |

use healing_core::decision::TreatmentResult;
use healing_core::health::Health;
use healing_core::observation::ProbeResult;
use serde_json::json;

use crate::app_client::App;
use crate::config::Restart;
use crate::treatment::{Context, Drain};

/// Settles an unfinished intent as soon as the app answers.
pub(crate) async fn settle(
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
            "the app was restarted; watching its recovery"
        );
        context.recorder.note(
            "restarted",
            &json!({"intent": intent, "instance_id": health.instance_id, "pid": health.pid}),
        );
        context.store.clear_intent();
    } else if intent.restart == Restart::Liveness && health.condemned {
        return;
    } else if intent.may_have_drained() && !drain.undrain(context.app).await {
        return; // the next poll tries again
    } else {
        tracing::warn!(
            instance_id = intent.instance_id,
            reason = intent.reason,
            restart = ?intent.restart,
            "a hard heal was begun but the app was not restarted; if this repeats, nothing here restarts it in this way"
        );
        context.store.clear_intent();
        context.report_restart(TreatmentResult::Aborted);
        context.recorder.note(
            "aborted",
            &json!({"why": "the same instance answers", "intent": intent}),
        );
    }
    context.save();
}

#[cfg(test)]
mod tests;
