//! Probation: what became of a treatment.
//!
//! ```text
//! soft:  Carrying ─ done ─────────────► Watching ─ healthy for `probation` ─► recovered
//! hard:  AwaitingStart ─ a new, ready ─► Watching ─ symptom again, or late ──► ineffective
//!            │           instance          │
//!            │                             └ silent, dead, or clearly more errors ─► worse
//!            └ never carried out ─► aborted
//! ```
//! The windows were cut at the treatment, so what is judged here happened after it. What failed is
//! remembered by the [ladder](crate::permission::escalation), which decides what may come next.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::OutcomeConfig;
use crate::decision::{Action, Conclusion, Outcome, Treatment, TreatmentResult};
use crate::time::Time;

/// The treatment that awaits its judgement, if any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Probation {
    open: Option<Open>,
    /// Judged between two steps; told at the next one.
    untold: Option<Conclusion>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Open {
    action: Action,
    since: Time,
    error_ratio_before: Option<f64>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Carrying,
    AwaitingStart {
        started: bool,
    },
    Watching {
        since: Time,
        healthy_since: Option<Time>,
    },
}

/// What a poll shows that matters here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Poll {
    /// The app answered, has been ready, and shows no symptom.
    pub(crate) healthy: bool,
    /// It has been ready since its start.
    pub(crate) ready: bool,
    /// A symptom has lasted long enough to justify a treatment.
    pub(crate) ill: bool,
    /// It hangs, and that has lasted long enough.
    pub(crate) silent: bool,
    pub(crate) error_ratio: Option<f64>,
}

/// More errors per request than this above those before the treatment are worse.
const WORSE_BY: f64 = 0.2;
/// A restart may take this many deadlines until the app is ready: pulling up is the supervisor's part.
const PATIENCE: u32 = 5;

// === impl Probation ===

impl Probation {
    /// Takes the caller's report. `error_ratio` is what the app showed before.
    pub(crate) fn report(&mut self, now: Time, treatment: Treatment, error_ratio: Option<f64>) {
        let Treatment { action, result } = treatment;
        if action == Action::NoAction {
            return;
        }
        let goes_on = result != TreatmentResult::Started
            && self.action() == Some(action)
            && self.is_carried();
        if !goes_on {
            if self.open.is_some() {
                self.untold = self.conclude(now, Outcome::Ineffective);
            }
            let phase = match action {
                Action::RestartService => Phase::AwaitingStart { started: false },
                _ => Phase::Carrying,
            };
            self.open = Some(Open {
                action,
                since: now,
                error_ratio_before: error_ratio,
                phase,
            });
        }
        match result {
            TreatmentResult::Started => {}
            TreatmentResult::Done => {
                if let Some(open) = self
                    .open
                    .as_mut()
                    .filter(|open| open.phase == Phase::Carrying)
                {
                    open.phase = Phase::Watching {
                        since: now,
                        healthy_since: None,
                    };
                }
            }
            TreatmentResult::Failed => self.untold = self.conclude(now, Outcome::Ineffective),
            TreatmentResult::Aborted => self.untold = self.conclude(now, Outcome::Aborted),
        }
    }

    /// Another process answers than before. After a soft heal that means that the app died.
    pub(crate) fn app_started(&mut self, now: Time) {
        match self.open.as_mut().map(|open| &mut open.phase) {
            Some(Phase::AwaitingStart { started }) => *started = true,
            Some(_) => self.untold = self.conclude(now, Outcome::Worse),
            None => {}
        }
    }

    /// Looks at a poll; returns what was judged, if anything.
    pub(crate) fn judge(
        &mut self,
        now: Time,
        poll: Poll,
        config: &OutcomeConfig,
    ) -> Option<Conclusion> {
        if let Some(untold) = self.untold.take() {
            return Some(untold);
        }
        let open = self.open.as_mut()?;
        if open.phase == (Phase::AwaitingStart { started: true }) && poll.ready {
            open.phase = Phase::Watching {
                since: now,
                healthy_since: None,
            };
        }
        let outcome = match &mut open.phase {
            Phase::Carrying => late(now, open.since, config.deadline, Outcome::Aborted),
            Phase::AwaitingStart { started } => {
                let outcome = if *started {
                    Outcome::Ineffective
                } else {
                    Outcome::Aborted
                };
                late(
                    now,
                    open.since,
                    config.deadline.saturating_mul(PATIENCE),
                    outcome,
                )
            }
            Phase::Watching {
                since,
                healthy_since,
            } => {
                *healthy_since = poll.healthy.then(|| healthy_since.unwrap_or(now));
                let recovered =
                    healthy_since.is_some_and(|healthy| now.since(healthy) >= config.probation);
                let before = open.error_ratio_before.unwrap_or(0.0);
                let more_errors = poll
                    .error_ratio
                    .is_some_and(|ratio| ratio > before + WORSE_BY);
                if recovered {
                    Some(Outcome::Recovered)
                } else if poll.silent || (poll.ill && more_errors) {
                    Some(Outcome::Worse)
                } else if poll.ill {
                    Some(Outcome::Ineffective)
                } else {
                    late(now, *since, config.deadline, Outcome::Ineffective)
                }
            }
        };
        self.conclude(now, outcome?)
    }

    /// A treatment is being carried out or verified.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// A treatment is being carried out: the app is not to be judged yet.
    pub(crate) fn is_carried(&self) -> bool {
        self.open.as_ref().is_some_and(Open::is_carried)
    }

    /// What is being carried out or verified.
    pub(crate) fn action(&self) -> Option<Action> {
        self.open.as_ref().map(|open| open.action)
    }

    fn conclude(&mut self, now: Time, outcome: Outcome) -> Option<Conclusion> {
        let open = self.open.take()?;
        let until = match open.phase {
            Phase::Watching {
                healthy_since: Some(healthy),
                ..
            } if outcome == Outcome::Recovered => healthy,
            _ => now,
        };
        Some(Conclusion {
            action: open.action,
            outcome,
            recovery: until.since(open.since),
        })
    }
}

impl Open {
    fn is_carried(&self) -> bool {
        matches!(self.phase, Phase::Carrying | Phase::AwaitingStart { .. })
    }
}

fn late(now: Time, since: Time, deadline: Duration, outcome: Outcome) -> Option<Outcome> {
    (now.since(since) >= deadline).then_some(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEALTHY: Poll = Poll {
        healthy: true,
        ready: true,
        ill: false,
        silent: false,
        error_ratio: None,
    };
    const ILL: Poll = Poll {
        healthy: false,
        ill: true,
        error_ratio: Some(0.5),
        ..HEALTHY
    };
    const UNSURE: Poll = Poll {
        healthy: false,
        ..HEALTHY
    };
    const STARTING: Poll = Poll {
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

    /// Polls every 5 s from 5 s on; the judgement and when it came.
    fn judge(probation: &mut Probation, polls: &[Poll]) -> Option<(u64, Outcome, u64)> {
        let config = OutcomeConfig::default();
        (5..).step_by(5).zip(polls).find_map(|(seconds, &poll)| {
            let conclusion = probation.judge(at(seconds), poll, &config)?;
            Some((seconds, conclusion.outcome, conclusion.recovery.as_secs()))
        })
    }

    #[test]
    fn healthy_for_probation_is_recovered() {
        let mut soft = treated(Action::ResetErrors);
        assert_eq!(
            judge(&mut soft, &[HEALTHY; 20]),
            Some((35, Outcome::Recovered, 5))
        );
        assert!(!soft.is_open());
        let mut polls = vec![UNSURE; 2];
        polls.extend([HEALTHY; 20]);
        let mut soft = treated(Action::ResetErrors);
        assert_eq!(judge(&mut soft, &polls), Some((45, Outcome::Recovered, 15)));
    }

    #[test]
    fn the_symptom_again_is_ineffective_and_so_is_never_healthy() {
        assert_eq!(
            judge(&mut treated(Action::ResetErrors), &[HEALTHY, ILL])
                .unwrap()
                .1,
            Outcome::Ineffective
        );
        let late = judge(&mut treated(Action::ResetErrors), &[UNSURE; 99]);
        assert_eq!(late, Some((120, Outcome::Ineffective, 120)));
    }

    #[test]
    fn more_errors_silence_or_death_are_worse() {
        let more = Poll {
            error_ratio: Some(0.7),
            ..ILL
        };
        assert_eq!(
            judge(&mut treated(Action::ResetErrors), &[more]).unwrap().1,
            Outcome::Worse
        );
        let silent = Poll {
            silent: true,
            ..UNSURE
        };
        assert_eq!(
            judge(&mut treated(Action::ResetErrors), &[silent])
                .unwrap()
                .1,
            Outcome::Worse
        );
        let mut died = treated(Action::ResetErrors);
        died.app_started(at(3));
        assert_eq!(judge(&mut died, &[STARTING]).unwrap().1, Outcome::Worse);
    }

    #[test]
    fn a_restart_is_watched_from_the_new_instances_readiness_on() {
        let mut hard = treated(Action::RestartService);
        assert_eq!(
            judge(&mut hard, &[HEALTHY; 10]),
            None,
            "still the old instance"
        );
        hard.app_started(at(51));
        let mut polls = vec![STARTING; 12];
        polls.extend([HEALTHY; 20]);
        assert_eq!(judge(&mut hard, &polls), Some((95, Outcome::Recovered, 65)));
    }

    #[test]
    fn what_never_was_is_aborted() {
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
        assert_eq!(judge(&mut hard, &[HEALTHY]).unwrap().1, Outcome::Aborted);
        let late = judge(&mut treated(Action::RestartService), &[UNSURE; 200]);
        assert_eq!(
            late.unwrap().1,
            Outcome::Aborted,
            "the same instance after ten minutes"
        );
    }

    #[test]
    fn a_second_treatment_ends_the_first() {
        let mut probation = treated(Action::ResetErrors);
        let second = Treatment {
            action: Action::RestartService,
            result: TreatmentResult::Started,
        };
        probation.report(at(4), second, None);
        assert_eq!(
            judge(&mut probation, &[UNSURE]),
            Some((5, Outcome::Ineffective, 4))
        );
        assert_eq!(probation.action(), Some(Action::RestartService));
    }
}
