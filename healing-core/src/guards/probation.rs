//! Probation: the time after a treatment in which its outcome is determined.
//!
//! ```text
//! soft:  Carrying ─ done ─────────────► Watching ─ healthy for `probation` ─► recovered
//! hard:  AwaitingStart ─ a new, ready ─► Watching ─ evidence, or deadline ────► ineffective
//!            │           instance          │
//!            │                             └ unresponsive, dead, or clearly more errors ─► worse
//!            └ never carried out ─► aborted
//! ```
//! Windows are reset when the treatment starts, so that only later requests count. Failures are counted
//! by the [escalation](super::escalation), which determines the next treatment.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::OutcomeConfig;
use crate::decision::{Action, Conclusion, Outcome, TreatmentReport, TreatmentResult};
use crate::time::Time;

/// Current treatment, if any, until its outcome is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Probation {
    pending: Option<PendingTreatment>,
    /// Conclusion that was reached between two steps. The next step returns it.
    unreported: Option<Conclusion>,
}

/// Treatment that is in progress or on probation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PendingTreatment {
    action: Action,
    since: Time,
    error_ratio_before: Option<f64>,
    phase: Phase,
}

/// Phase of a treatment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// A soft heal in progress.
    Carrying,
    /// A restart in progress, until the new instance is ready.
    AwaitingStart { started: bool },
    /// Probation.
    Watching {
        since: Time,
        healthy_since: Option<Time>,
    },
}

/// State of the app after one poll.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProbationInput {
    /// Set if the app sent a report, has been ready, and shows no symptom.
    pub(super) healthy: bool,
    /// Set while the effect of a restart for an impairment is not known yet.
    pub(super) effect_pending: bool,
    /// Set if the app sent a report and has been ready since its start.
    pub(super) ready: bool,
    /// Set if there is evidence for a treatment.
    pub(super) treatment_justified: bool,
    /// Set if the app has been unresponsive for long enough to justify a restart.
    pub(super) unresponsive: bool,
    /// Errors per request. `None` if there are too few requests.
    pub(super) error_ratio: Option<f64>,
}

/// Increase of the errors per request above which the app is worse than before the treatment.
const WORSE_BY: f64 = 0.2;
/// Maximum time from a restart until the app is ready, in multiples of `outcome.deadline`. It is longer
/// than one deadline, because the supervisor starts the app and may delay that.
const RESTART_DEADLINES: u32 = 5;

// === impl Probation ===

impl Probation {
    /// Records the caller's report. `error_ratio` is the one before the treatment.
    pub(super) fn report(&mut self, now: Time, report: TreatmentReport, error_ratio: Option<f64>) {
        let TreatmentReport { action, result } = report;
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

    /// Records that a new process has started. After a soft heal this means that the app died.
    pub(super) fn app_started(&mut self, now: Time) {
        match self.pending.as_mut().map(|pending| &mut pending.phase) {
            Some(Phase::AwaitingStart { started }) => *started = true,
            Some(_) => self.unreported = self.conclude(now, Outcome::Worse),
            None => {}
        }
    }

    /// Evaluates a poll. Returns the conclusion if the poll determines the outcome.
    pub(super) fn evaluate(
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
                let recovered = !input.effect_pending
                    && healthy_since.is_some_and(|healthy| now.since(healthy) >= config.probation);
                let before = pending.error_ratio_before.unwrap_or(0.0);
                let more_errors = input
                    .error_ratio
                    .is_some_and(|ratio| ratio > before + WORSE_BY);
                if recovered {
                    Some(Outcome::Recovered)
                } else if input.unresponsive || (input.treatment_justified && more_errors) {
                    Some(Outcome::Worse)
                } else if input.treatment_justified {
                    Some(Outcome::Ineffective)
                } else {
                    overdue(now, *since, config.deadline, Outcome::Ineffective)
                }
            }
        };
        self.conclude(now, outcome?)
    }

    /// Returns `true` if a treatment is in progress, so that the app cannot be evaluated yet.
    pub(super) fn is_in_progress(&self) -> bool {
        self.pending
            .as_ref()
            .is_some_and(PendingTreatment::is_in_progress)
    }

    /// Returns `true` if a restart is in progress and no new instance is ready.
    pub(super) fn is_awaiting_start(&self) -> bool {
        self.pending
            .as_ref()
            .is_some_and(|pending| matches!(pending.phase, Phase::AwaitingStart { .. }))
    }

    /// Returns the treatment that is in progress or on probation.
    pub(super) fn action(&self) -> Option<Action> {
        self.pending.as_ref().map(|pending| pending.action)
    }

    /// Concludes the current treatment with an outcome.
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
    /// Returns `true` if the treatment is in progress, before its probation.
    fn is_in_progress(&self) -> bool {
        matches!(self.phase, Phase::Carrying | Phase::AwaitingStart { .. })
    }
}

/// Returns the outcome if the deadline has passed.
fn overdue(now: Time, since: Time, deadline: Duration, outcome: Outcome) -> Option<Outcome> {
    (now.since(since) >= deadline).then_some(outcome)
}

#[cfg(test)]
mod tests;
