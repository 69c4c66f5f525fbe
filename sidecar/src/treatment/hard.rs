//! Hard heal: diagnostics, intent on disk, drain, a second look, and then exit 88.
//!
//! With `restart = liveness` the app is condemned instead: it drains by itself, its liveness probe
//! turns 503, the kubelet restarts it alone, and the doctor stays up and verifies.
//!
//! The order makes it safe. The app's last answers are recorded before it is gone. The budget is
//! spent and the intent fsynced before anything is done: a doctor that is killed at any later
//! moment is followed by one that reads the intent, and undrains the app if it is still alive.

use std::process::ExitCode;
use std::time::Duration;

use healing_core::decision::{Decision, TreatmentResult};
use healing_core::heal::HealAction;
use healing_core::observation::ProbeResult;
use serde_json::json;

use super::{Context, Drain};
use crate::app_client::App;
use crate::config::{Restart, Settings};
use crate::exit_code;
use crate::heartbeat::Heartbeat;
use crate::recorder::{ObservationEntry, PollReport};
use crate::store::{Identity, Intent};

/// Hard heal with its settings.
#[derive(Debug)]
pub(crate) struct HardHeal {
    restart: Restart,
    timeout: Duration,
    drain: Drain,
    heartbeat: Heartbeat,
}

/// Result of a hard heal for the control loop.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Outcome {
    /// The app is ready to be restarted: the process exits.
    ExitForRestart(ExitForRestart),
    /// The app ends by itself: the loop goes on and watches it.
    Condemned,
    /// The hard heal was not carried out.
    Aborted,
}

/// Proof of a hard heal whose intent is on disk and whose second look found the app unchanged.
///
/// Its only constructor is the end of [`HardHeal::run`], and its conversion is the only way to
/// [`exit_code::RESTART_ALL`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct ExitForRestart(());

impl From<ExitForRestart> for ExitCode {
    fn from(_: ExitForRestart) -> Self {
        let [code, ..] = exit_code::RESTART_ALL.to_le_bytes();
        Self::from(code)
    }
}

impl HardHeal {
    pub(crate) fn new(settings: &Settings, drain: Drain, heartbeat: Heartbeat) -> Self {
        Self {
            restart: settings.restart,
            timeout: settings.heal_timeout,
            drain,
            heartbeat,
        }
    }

    /// Carries out a restart that the policy allowed. `target` is the process that answered last.
    pub(crate) async fn run(
        &self,
        context: &mut Context<'_, impl App>,
        poll: &PollReport,
        decision: &Decision,
        target: &Identity,
    ) -> Outcome {
        let explanation = context.policy.explain(decision);
        tracing::warn!(
            reason = decision.reason.as_str(), wedged = decision.wedged, %explanation,
            "hard heal"
        );
        context.recorder.note(
            "diagnostics",
            &json!({
                "decision": decision,
                "explanation": explanation,
                "observation": ObservationEntry::new(poll),
            }),
        );
        context.recorder.sync();

        let wall = context.policy.now().wall;
        let intent = Intent::new(target, decision, self.restart, wall);
        context.report_restart(TreatmentResult::Started);
        let state = context.policy.state();
        if let Err(error) = context.store.write_intent(intent.clone(), state) {
            return self
                .abort(context, &format!("the intent cannot be written: {error}"))
                .await;
        }
        context.recorder.note("intent", &intent);

        match self.restart {
            Restart::Exit => self.prepare_exit(context, &intent).await,
            Restart::Liveness => self.condemn(context).await,
        }
    }

    async fn prepare_exit(&self, context: &mut Context<'_, impl App>, intent: &Intent) -> Outcome {
        if !intent.wedged {
            self.drain.run(context.app, context.recorder).await;
        }
        if let Some(reason) = needless(context, intent).await {
            return self.abort(context, reason).await;
        }
        context.recorder.note(
            "exit",
            &json!({"code": exit_code::RESTART_ALL, "intent": intent}),
        );
        context.recorder.sync();
        Outcome::ExitForRestart(ExitForRestart(()))
    }

    /// Requests that the app ends in its own order. The intent is settled when another instance
    /// answers.
    async fn condemn(&self, context: &mut Context<'_, impl App>) -> Outcome {
        let answer = context
            .app
            .heal(HealAction::RestartService, self.timeout)
            .await;
        self.heartbeat.beat();
        match answer {
            Ok(response) => {
                tracing::info!(message = %response.message, "the app is condemned");
                context
                    .recorder
                    .note("condemned", &json!({"answer": response}));
                Outcome::Condemned
            }
            Err(error) => {
                self.abort(context, &format!("the app could not be condemned: {error}"))
                    .await
            }
        }
    }

    /// Ends the hard heal without a restart. The policy keeps the attempt in its budget.
    async fn abort(&self, context: &mut Context<'_, impl App>, reason: &str) -> Outcome {
        tracing::warn!(reason, "hard heal aborted");
        if let Some(intent) = context.store.clear_intent()
            && intent.may_have_drained()
        {
            self.drain.undrain(context.app).await;
        }
        context.report_restart(TreatmentResult::Aborted);
        context.recorder.note("aborted", &json!({"why": reason}));
        context.save();
        Outcome::Aborted
    }
}

/// Looks at the app a second time, because it may have ended or been replaced during the drain.
/// Returns the reason why no restart is needed.
async fn needless(context: &Context<'_, impl App>, intent: &Intent) -> Option<&'static str> {
    match context.app.health().await.result {
        ProbeResult::Valid(health, _) => {
            let wall = context.policy.now().wall;
            (!intent.targets(&health, wall)).then_some("another instance already answers")
        }
        ProbeResult::Refused => Some("the app has ended by itself; its supervisor restarts it"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
