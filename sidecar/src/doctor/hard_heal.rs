//! Hard heal: diagnostics, intent on disk, drain, one more look, and then exit 88.
//!
//! With `restart = liveness` the app is condemned instead: it drains by itself, its liveness probe
//! turns 503, the kubelet restarts it alone, and the doctor stays up and verifies.
//!
//! The order is what makes it safe. What the app looked like is recorded before it is gone. The
//! budget is spent and the intent fsynced before anything is done: a doctor that is killed at any
//! later moment is followed by one that reads the intent, and undrains the app if it still lives.

use std::time::Duration;

use healing_core::decision::{Action, Decision, Treatment, TreatmentResult};
use healing_core::health::HealAction;
use healing_core::observation::{Observation, ProbeResult};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::patient::{Doctor, Exit, Identity};
use super::record::Seen;
use super::state::Intent;
use crate::config::Restart;

/// Between looks at the open requests.
const LOOK: Duration = Duration::from_millis(100);
/// The drain is a lease of 30 s; it is renewed well before.
const RENEW: Duration = Duration::from_secs(10);

impl Doctor {
    /// `Some` if the process is to exit 88 now.
    pub(super) async fn hard_heal(
        &mut self,
        observation: &Observation,
        decision: &Decision,
    ) -> Option<Exit> {
        let explanation = self.policy.explain(decision).to_string();
        tracing::warn!(reason = decision.reason.as_str(), wedged = decision.wedged, %explanation, "hard heal");
        self.note(
            "diagnostics",
            &json!({
                "decision": decision,
                "explanation": explanation,
                "observation": Seen::new(observation),
            }),
        );
        self.journal.sync();

        let now = self.clock.now();
        let Identity { instance_id, pid } = self.seen.clone().unwrap_or(Identity {
            instance_id: None,
            pid: None,
        });
        let intent = Intent {
            instance_id,
            pid,
            reason: decision.reason.as_str().to_owned(),
            wedged: decision.wedged,
            at_unix_ms: u64::try_from(now.wall.as_millis()).unwrap_or(u64::MAX),
            restart: self.settings.restart,
        };
        self.report(TreatmentResult::Started);
        self.intent = Some(intent.clone());
        if let Err(error) = self.save_afresh() {
            let why = format!("the intent cannot be written: {error}");
            self.give_up(&why).await;
            return None;
        }
        self.note("intent", &intent);

        match self.settings.restart {
            Restart::Exit => self.leave(&intent).await,
            Restart::Liveness => {
                self.condemn().await;
                None
            }
        }
    }

    async fn leave(&mut self, intent: &Intent) -> Option<Exit> {
        if !intent.wedged {
            self.drain().await;
        }
        if let Some(why) = self.no_longer_needed(intent).await {
            self.give_up(&why).await;
            return None;
        }
        self.note(
            "exit",
            &json!({"code": crate::exit_code::RESTART_ALL, "intent": intent}),
        );
        self.journal.sync();
        Some(Exit::RestartAll)
    }

    /// The app ends in its own order; the intent is settled when another instance answers.
    async fn condemn(&mut self) {
        let asked = self
            .care
            .ask(HealAction::RestartService, self.settings.heal_timeout)
            .await;
        self.shared.heartbeat.beat();
        match asked {
            Ok(answer) => {
                tracing::info!(message = %answer.message, "the app is condemned");
                self.note("condemned", &json!({"answer": answer}));
            }
            Err(error) => {
                let why = format!("the app could not be condemned: {error}");
                self.give_up(&why).await;
            }
        }
    }

    /// No new work, and time for the open requests. A sick app that cannot drain is restarted all
    /// the same.
    async fn drain(&mut self) {
        let begin = Instant::now();
        let mut renewed = begin;
        if let Err(error) = self.ask_drain().await {
            tracing::warn!(%error, "the app does not drain");
            return;
        }
        sleep(self.settings.drain_settle).await;
        let deadline = Instant::now() + self.settings.drain_timeout;
        let open = loop {
            self.shared.heartbeat.beat();
            let open = match self.probe.care().await {
                ProbeResult::Valid(health, _) => health.in_flight.unwrap_or(0),
                ProbeResult::Refused => break None, // it has ended by itself
                _ => u64::MAX,                      // unknown: wait for the deadline
            };
            if open == 0 || Instant::now() >= deadline {
                break Some(open);
            }
            if renewed.elapsed() >= RENEW {
                renewed = Instant::now();
                if let Err(error) = self.ask_drain().await {
                    tracing::warn!(%error, "the drain could not be renewed");
                }
            }
            sleep(LOOK).await;
        };
        let took = begin.elapsed();
        let left = open.filter(|open| *open != u64::MAX);
        tracing::info!(open_requests = left, ?took, "drained");
        self.note(
            "drain",
            &json!({"open_requests": left, "took_seconds": took.as_secs_f64()}),
        );
    }

    async fn ask_drain(&self) -> Result<(), super::care::CareError> {
        self.care
            .ask(HealAction::Drain, self.settings.probe_timeout)
            .await
            .map(|_response| ())
    }

    /// A last look: draining takes a while, and the app may have ended or been replaced meanwhile.
    async fn no_longer_needed(&self, intent: &Intent) -> Option<String> {
        match self.probe.care().await {
            ProbeResult::Valid(health, _) if !intent.is_of(&health, self.clock.now().wall) => {
                Some("another instance answers already".to_owned())
            }
            ProbeResult::Refused => {
                Some("the app has ended by itself; its supervisor restarts it".to_owned())
            }
            _ => None,
        }
    }

    /// Not carried out after all: everything as before, apart from what the policy remembers.
    async fn give_up(&mut self, why: &str) {
        tracing::warn!(why, "the hard heal is not carried out");
        if let Some(intent) = self.intent.take()
            && intent.is_drained()
        {
            self.undrain().await;
        }
        self.report(TreatmentResult::Aborted);
        self.note("aborted", &json!({"why": why}));
        let _ = self.save();
    }

    /// Whether the question is settled: done, or refused for good.
    pub(super) async fn undrain(&self) -> bool {
        match self
            .care
            .ask(HealAction::Undrain, self.settings.probe_timeout)
            .await
        {
            Ok(_) => true,
            Err(error @ super::care::CareError::NoReply(_)) => {
                tracing::warn!(%error, "the app could not be undrained");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "the app could not be undrained; its lease ends by itself");
                true
            }
        }
    }

    pub(super) fn report(&mut self, result: TreatmentResult) {
        let treatment = Treatment {
            action: Action::RestartService,
            result,
        };
        self.policy.report_treatment(self.clock.now(), treatment);
        self.note("treatment", &json!({"treatment": treatment}));
    }
}
