//! What a doctor finds at its start: an intent of the one before.
//!
//! A condemned app is waited for. Otherwise either the app was restarted: another instance answers, and the policy judges how it fares. Or
//! the doctor before died between intent and exit, or nobody restarts on exit 88 here: the same
//! instance answers, is undrained, and the treatment counts as never carried out.

use std::time::Duration;

use healing_core::decision::TreatmentResult;
use healing_core::health::Health;
use healing_core::observation::ProbeResult;
use serde_json::json;

use super::patient::Doctor;
use super::state::Intent;
use crate::config::Restart;

impl Intent {
    /// The doctor has drained, or may have drained, the app.
    pub(super) fn is_drained(&self) -> bool {
        !self.wedged && self.restart == Restart::Exit
    }

    /// Whether this is the instance that was to end. Without an `instance_id` its age tells.
    pub(super) fn is_of(&self, health: &Health, wall: Duration) -> bool {
        match (&self.instance_id, &health.instance_id) {
            (Some(meant), Some(answering)) => meant == answering,
            _ => {
                let since = wall.saturating_sub(Duration::from_millis(self.at_unix_ms));
                health.uptime >= since.as_secs_f64()
            }
        }
    }
}

impl Doctor {
    /// Settle an unfinished intent as soon as the app answers.
    pub(super) async fn finish_unfinished(&mut self, care: &ProbeResult<Health>) {
        let (Some(intent), ProbeResult::Valid(health, _)) = (self.intent.clone(), care) else {
            return;
        };
        if !intent.is_of(health, self.clock.now().wall) {
            tracing::info!(
                before = intent.instance_id,
                now = health.instance_id,
                reason = intent.reason,
                "the app was restarted; its recovery is watched"
            );
            self.note(
                "restarted",
                &json!({"intent": intent, "instance_id": health.instance_id, "pid": health.pid}),
            );
            self.intent = None;
        } else if intent.restart == Restart::Liveness && health.condemned {
            return; // on its way out
        } else if intent.is_drained() && !self.undrain().await {
            return; // asked again at the next poll
        } else {
            tracing::warn!(
                instance_id = intent.instance_id,
                reason = intent.reason,
                restart = ?intent.restart,
                "a hard heal was begun but the app was not restarted. If this repeats, nobody here restarts it in this way"
            );
            self.intent = None;
            self.report(TreatmentResult::Aborted);
            self.note(
                "aborted",
                &json!({"why": "the same instance answers", "intent": intent}),
            );
        }
        let _ = self.save();
    }
}
