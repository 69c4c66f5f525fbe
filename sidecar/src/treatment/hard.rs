//! Hard heal: diagnostics, intent on disk, drain, re-check, exit 88.
//!
//! With `restart = liveness` the app is condemned and the doctor does not exit. The app drains itself,
//! its liveness probe fails with 503, the kubelet restarts only the app, and the policy judges the new
//! instance during probation.
//!
//! The order matters. The last observation is recorded, the budget is spent and the intent is fsynced
//! before the app is touched. If the doctor is killed at any later moment, the next doctor reads
//! the intent and, if the same instance is still running, undrains it.

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

/// Executor of hard heals.
#[derive(Debug)]
pub(crate) struct HardHeal {
    restart: Restart,
    timeout: Duration,
    drain: Drain,
    heartbeat: Heartbeat,
}

/// Result of a hard heal, for the control loop.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum HardHealResult {
    /// The app is ready to be restarted, so the sidecar must exit.
    ExitForRestart(ExitForRestart),
    /// The app shuts itself down, and the control loop continues.
    Condemned,
    /// The hard heal was not carried out.
    Aborted,
}

/// Proof of a hard heal whose intent is on disk and whose re-check found the app unchanged.
///
/// It is constructed only at the end of [`HardHeal::run`], and its conversion is the only way to
/// obtain [`exit_code::RESTART_ALL`].
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

    /// Carries out a restart that the policy allowed. `target` is the instance that sent the
    /// latest report.
    pub(crate) async fn run(
        &self,
        context: &mut Context<'_, impl App>,
        poll: &PollReport,
        decision: &Decision,
        target: &Identity,
    ) -> HardHealResult {
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

    /// Drains the app unless it is stalled, and re-checks that the restart is needed.
    async fn prepare_exit(
        &self,
        context: &mut Context<'_, impl App>,
        intent: &Intent,
    ) -> HardHealResult {
        if !intent.wedged {
            self.drain.run(context.app, context.recorder).await;
        }
        if let Some(reason) = restart_unneeded(context, intent).await {
            return self.abort(context, reason).await;
        }
        context.recorder.note(
            "exit",
            &json!({"code": exit_code::RESTART_ALL, "intent": intent}),
        );
        context.recorder.sync();
        HardHealResult::ExitForRestart(ExitForRestart(()))
    }

    /// Asks the app to shut itself down. The intent is resolved when another instance reports.
    async fn condemn(&self, context: &mut Context<'_, impl App>) -> HardHealResult {
        let result = context
            .app
            .heal(HealAction::RestartService, self.timeout)
            .await;
        self.heartbeat.beat();
        match result {
            Ok(response) => {
                tracing::info!(message = %response.message, "the app is condemned");
                context
                    .recorder
                    .note("condemned", &json!({"response": response}));
                HardHealResult::Condemned
            }
            Err(error) => {
                self.abort(
                    context,
                    &format!("the app refused `restart_service` or did not respond: {error}"),
                )
                .await
            }
        }
    }

    /// Aborts the hard heal without a restart. The attempt still counts against the budget.
    async fn abort(&self, context: &mut Context<'_, impl App>, reason: &str) -> HardHealResult {
        tracing::warn!(reason, "hard heal aborted");
        if let Some(intent) = context.store.clear_intent()
            && intent.may_have_drained()
        {
            self.drain.undrain(context.app).await;
        }
        context.report_restart(TreatmentResult::Aborted);
        context.recorder.note("aborted", &json!({"reason": reason}));
        context.save();
        HardHealResult::Aborted
    }
}

/// Re-checks the app, because it may have exited or been replaced during the drain. Returns the
/// reason if no restart is needed.
async fn restart_unneeded(
    context: &Context<'_, impl App>,
    intent: &Intent,
) -> Option<&'static str> {
    match context.app.health().await.result {
        ProbeResult::Valid(health, _) => {
            let wall = context.policy.now().wall;
            (!intent.targets(&health, wall)).then_some("another instance is already running")
        }
        ProbeResult::Refused => Some("the app has already exited; its supervisor restarts it"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
