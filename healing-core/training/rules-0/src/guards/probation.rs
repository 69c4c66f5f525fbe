//! Probation: the outcome of a treatment.
//!
//! ```text
//! soft:  Carrying ─ done ─────────────► Watching ─ healthy for `probation` ─► recovered
//! hard:  AwaitingStart ─ a new, ready ─► Watching ─ symptom again, or late ──► ineffective
//!            │           instance          │
//!            │                             └ unresponsive, dead, or clearly more errors ─► worse
//!            └ never carried out ─► aborted
//! ```
//! Windows are reset at the treatment, so that only what comes after it is judged. Failures are counted
//! by the [escalation](super::escalation), which decides what may come next.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::OutcomeConfig;
use crate::decision::{Action, Conclusion, Outcome, Treatment, TreatmentResult};
use crate::time::Time;

/// Treatment that awaits its outcome, if any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Probation {
    #[serde(rename = "open")]
    pending: Option<PendingTreatment>,
    /// Conclusion between two steps, returned by the next one.
    #[serde(rename = "untold")]
    unreported: Option<Conclusion>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PendingTreatment {
    action: Action,
    since: Time,
    error_ratio_before: Option<f64>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// Being carried out.
    Carrying,
    /// A restart, until the new instance is ready.
    AwaitingStart { started: bool },
    /// Being verified.
    Watching {
        since: Time,
        healthy_since: Option<Time>,
    },
}

/// State of the app by one poll.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProbationInput {
    /// Set if the app answered, has been ready, and shows no symptom.
    pub(super) healthy: bool,
    /// Set if the app answered and has been ready since its start.
    pub(super) ready: bool,
    /// Set if a sustained symptom justifies a treatment.
    pub(super) symptomatic: bool,
    /// Set if the app has been unresponsive for long enough to justify a restart.
    pub(super) unresponsive: bool,
    /// Errors per request, where there are enough requests.
    pub(super) error_ratio: Option<f64>,
}

/// Increase of the errors per request from which the app is worse than before.
const WORSE_BY: f64 = 0.2;
/// Deadlines that a restart may take until the app is ready: starting it is the supervisor's part.
const RESTART_DEADLINES: u32 = 5;

// === impl Probation ===

impl Probation {
    /// Records the caller's report. `error_ratio` is that before the treatment.
    pub(super) fn report(&mut self, now: Time, treatment: Treatment, error_ratio: Option<f64>) {
        let Treatment { action, result } = treatment;
        if action == Action::NoAction {
            return;
        }
        let continues = result != TreatmentResult::Started
            && self.action() == Some(action)
            && self.is_in_progress();
        if !continues {
            if self.pending.is_some() {
                self.unreported = self.conclude(now, Outcome::Ineffective);
            }
            let phase = match action {
                Action::RestartService => Phase::AwaitingStart { started: false },
                _ => Phase::Carrying,
            };
            self.pending = Some(PendingTreatment {
                action,
                since: now,
                error_ratio_before: error_ratio,
                phase,
            });
        }
        match result {
            TreatmentResult::Started => {}
            TreatmentResult::Done => {
                if let Some(pending) = self
                    .pending
                    .as_mut()
                    .filter(|pending| pending.phase == Phase::Carrying)
                {
                    pending.phase = Phase::Watching {
                        since: now,
                        healthy_since: None,
                    };
                }
            }
            TreatmentResult::Failed => self.unreported = self.conclude(now, Outcome::Ineffective),
            TreatmentResult::Aborted => self.unreported = self.conclude(now, Outcome::Aborted),
        }
    }

    /// Records that another process answers. After a soft heal that means that the app died.
    pub(super) fn app_started(&mut self, now: Time) {
        match self.pending.as_mut().map(|pending| &mut pending.phase) {
            Some(Phase::AwaitingStart { started }) => *started = true,
            Some(_) => self.unreported = self.conclude(now, Outcome::Worse),
            None => {}
        }
    }

    /// Evaluates a poll; returns the conclusion, if it decides the outcome.
    pub(super) fn judge(
        &mut self,
        now: Time,
        input: ProbationInput,
        config: &OutcomeConfig,
    ) -> Option<Conclusion> {
        if let Some(conclusion) = self.unreported.take() {
            return Some(conclusion);
        }
        let pending = self.pending.as_mut()?;
        if pending.phase == (Phase::AwaitingStart { started: true }) && input.ready {
            pending.phase = Phase::Watching {
                since: now,
                healthy_since: None,
            };
        }
        let outcome = match &mut pending.phase {
            Phase::Carrying => overdue(now, pending.since, config.deadline, Outcome::Aborted),
            Phase::AwaitingStart { started } => {
                let outcome = if *started {
                    Outcome::Ineffective
                } else {
                    Outcome::Aborted
                };
                overdue(
                    now,
                    pending.since,
                    config.deadline.saturating_mul(RESTART_DEADLINES),
                    outcome,
                )
            }
            Phase::Watching {
                since,
                healthy_since,
            } => {
                *healthy_since = input.healthy.then(|| healthy_since.unwrap_or(now));
                let recovered =
                    healthy_since.is_some_and(|healthy| now.since(healthy) >= config.probation);
                let before = pending.error_ratio_before.unwrap_or(0.0);
                let more_errors = input
                    .error_ratio
                    .is_some_and(|ratio| ratio > before + WORSE_BY);
                if recovered {
                    Some(Outcome::Recovered)
                } else if input.unresponsive || (input.symptomatic && more_errors) {
                    Some(Outcome::Worse)
                } else if input.symptomatic {
                    Some(Outcome::Ineffective)
                } else {
                    overdue(now, *since, config.deadline, Outcome::Ineffective)
                }
            }
        };
        self.conclude(now, outcome?)
    }

    /// Reports if a treatment is being carried out: the app cannot be judged yet.
    pub(super) fn is_in_progress(&self) -> bool {
        self.pending
            .as_ref()
            .is_some_and(PendingTreatment::is_in_progress)
    }

    /// Returns the treatment that is being carried out or verified.
    pub(super) fn action(&self) -> Option<Action> {
        self.pending.as_ref().map(|pending| pending.action)
    }

    fn conclude(&mut self, now: Time, outcome: Outcome) -> Option<Conclusion> {
        let pending = self.pending.take()?;
        let until = match pending.phase {
            Phase::Watching {
                healthy_since: Some(healthy),
                ..
            } if outcome == Outcome::Recovered => healthy,
            _ => now,
        };
        Some(Conclusion {
            action: pending.action,
            outcome,
            recovery: until.since(pending.since),
        })
    }
}

impl PendingTreatment {
    fn is_in_progress(&self) -> bool {
        matches!(self.phase, Phase::Carrying | Phase::AwaitingStart { .. })
    }
}

fn overdue(now: Time, since: Time, deadline: Duration, outcome: Outcome) -> Option<Outcome> {
    (now.since(since) >= deadline).then_some(outcome)
}
