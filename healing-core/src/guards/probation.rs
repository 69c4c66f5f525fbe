//! Probation: the outcome of a treatment.
//!
//! ```text
//! soft:  Carrying ─ done ─────────────► Watching ─ healthy for `probation` ─► recovered
//! hard:  AwaitingStart ─ a new, ready ─► Watching ─ symptom, or deadline ────► ineffective
//!            │           instance          │
//!            │                             └ unresponsive, dead, or clearly more errors ─► worse
//!            └ never carried out ─► aborted
//! ```
//! Windows are reset at the treatment, so that only what comes after it counts. Failures are counted
//! by the [escalation](super::escalation), which decides what may come next.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::OutcomeConfig;
use crate::decision::{Action, Conclusion, Outcome, Treatment, TreatmentResult};
use crate::time::Time;

/// Treatment that awaits its outcome, if any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Probation {
    pending: Option<PendingTreatment>,
    /// Conclusion between two steps, returned by the next one.
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

    /// Reports if a treatment is being carried out: the app cannot be evaluated yet.
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

#[cfg(test)]
mod tests {
    use super::*;

    const HEALTHY: ProbationInput = ProbationInput {
        healthy: true,
        ready: true,
        symptomatic: false,
        unresponsive: false,
        error_ratio: None,
    };
    const ILL: ProbationInput = ProbationInput {
        healthy: false,
        symptomatic: true,
        error_ratio: Some(0.5),
        ..HEALTHY
    };
    const UNSURE: ProbationInput = ProbationInput {
        healthy: false,
        ..HEALTHY
    };
    const STARTING: ProbationInput = ProbationInput {
        healthy: false,
        ready: false,
        ..HEALTHY
    };

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    fn treated(action: Action) -> Probation {
        let mut probation = Probation::default();
        let result = TreatmentResult::Started;
        probation.report(at(0), Treatment { action, result }, Some(0.4));
        if action == Action::ResetErrors {
            probation.report(
                at(0),
                Treatment {
                    action,
                    result: TreatmentResult::Done,
                },
                Some(0.4),
            );
        }
        probation
    }

    /// Polls every 5 s from 5 s on; returns the time of the conclusion, its outcome and its recovery.
    fn conclusion(
        probation: &mut Probation,
        polls: &[ProbationInput],
    ) -> Option<(u64, Outcome, u64)> {
        let config = OutcomeConfig::default();
        (5..).step_by(5).zip(polls).find_map(|(seconds, &poll)| {
            let conclusion = probation.evaluate(at(seconds), poll, &config)?;
            Some((seconds, conclusion.outcome, conclusion.recovery.as_secs()))
        })
    }

    #[test]
    fn health_for_the_probation_is_recovered() {
        let mut soft = treated(Action::ResetErrors);
        assert_eq!(
            conclusion(&mut soft, &[HEALTHY; 20]),
            Some((35, Outcome::Recovered, 5))
        );
        assert_eq!(soft.action(), None);
        let mut polls = vec![UNSURE; 2];
        polls.extend([HEALTHY; 20]);
        let mut soft = treated(Action::ResetErrors);
        assert_eq!(
            conclusion(&mut soft, &polls),
            Some((45, Outcome::Recovered, 15))
        );
    }

    #[test]
    fn symptom_and_missing_health_are_ineffective() {
        assert_eq!(
            conclusion(&mut treated(Action::ResetErrors), &[HEALTHY, ILL])
                .unwrap()
                .1,
            Outcome::Ineffective
        );
        let late = conclusion(&mut treated(Action::ResetErrors), &[UNSURE; 99]);
        assert_eq!(late, Some((120, Outcome::Ineffective, 120)));
    }

    #[test]
    fn more_errors_unresponsiveness_and_death_are_worse() {
        let more = ProbationInput {
            error_ratio: Some(0.7),
            ..ILL
        };
        assert_eq!(
            conclusion(&mut treated(Action::ResetErrors), &[more])
                .unwrap()
                .1,
            Outcome::Worse
        );
        let unresponsive = ProbationInput {
            unresponsive: true,
            ..UNSURE
        };
        assert_eq!(
            conclusion(&mut treated(Action::ResetErrors), &[unresponsive])
                .unwrap()
                .1,
            Outcome::Worse
        );
        let mut died = treated(Action::ResetErrors);
        died.app_started(at(3));
        assert_eq!(
            conclusion(&mut died, &[STARTING]).unwrap().1,
            Outcome::Worse
        );
    }

    #[test]
    fn restart_is_verified_from_the_new_instances_readiness_on() {
        let mut hard = treated(Action::RestartService);
        assert_eq!(
            conclusion(&mut hard, &[HEALTHY; 10]),
            None,
            "still the old instance"
        );
        hard.app_started(at(51));
        let mut polls = vec![STARTING; 12];
        polls.extend([HEALTHY; 20]);
        assert_eq!(
            conclusion(&mut hard, &polls),
            Some((95, Outcome::Recovered, 65))
        );
    }

    #[test]
    fn restart_without_a_new_instance_is_aborted() {
        let mut hard = treated(Action::RestartService);
        let action = Action::RestartService;
        hard.report(
            at(9),
            Treatment {
                action,
                result: TreatmentResult::Aborted,
            },
            None,
        );
        assert_eq!(
            conclusion(&mut hard, &[HEALTHY]).unwrap().1,
            Outcome::Aborted
        );
        let late = conclusion(&mut treated(Action::RestartService), &[UNSURE; 200]);
        assert_eq!(
            late.unwrap().1,
            Outcome::Aborted,
            "the same instance after ten minutes"
        );
    }

    #[test]
    fn second_treatment_ends_the_first() {
        let mut probation = treated(Action::ResetErrors);
        let second = Treatment {
            action: Action::RestartService,
            result: TreatmentResult::Started,
        };
        probation.report(at(4), second, None);
        assert_eq!(
            conclusion(&mut probation, &[UNSURE]),
            Some((5, Outcome::Ineffective, 4))
        );
        assert_eq!(probation.action(), Some(Action::RestartService));
    }
}
