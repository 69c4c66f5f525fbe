//! Recovery from an unfinished hard heal: settles the intent that the doctor found at its start, or
//! that waits for a condemned app.
//!
//! | answer | meaning | settled by |
//! |---|---|---|
//! | another instance | the app was restarted | the policy judges its recovery |
//! | same instance, condemned | it is about to end | nothing yet |
//! | same instance | the doctor died before its exit, or nothing restarts on exit 88 here | undrain; the treatment counts as aborted |

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
        context.store.end();
    } else if intent.restart == Restart::Liveness && health.condemned {
        return;
    } else if intent.may_have_drained() && !drain.end(context.app).await {
        return; // the next poll tries again
    } else {
        tracing::warn!(
            instance_id = intent.instance_id,
            reason = intent.reason,
            restart = ?intent.restart,
            "a hard heal was begun but the app was not restarted. If this repeats, nothing restarts the app in this way here"
        );
        context.store.end();
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
