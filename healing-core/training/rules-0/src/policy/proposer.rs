//! Proposer: a pure function from a [`Reading`] to a [`Proposal`], within the evidence. The rules
//! propose where the app does not answer; where it does, a model or the rules.
//!
//! # Hazards
//!
//! A model only *proposes*. Evidence bounds what may be proposed, permission what may be done; so a
//! model that is wrong, or hostile, can leave an ill app alone but cannot heal a healthy one or exceed
//! a budget.

use super::reading::Reading;
use super::rules;
use crate::config::{ModelRole, PolicyConfig};
use crate::decision::{Action, DecidedBy, Lane, Reason, ReasonKind};
use crate::evidence::Symptoms;
use crate::features::{Feature, Features};
use crate::guards::Guards;
use crate::model::Classifier;

/// Source of the proposals.
#[derive(Debug)]
pub enum Proposer {
    /// A model; the rules where it cannot classify.
    Model(Box<dyn Classifier>),
    /// The compiled-in rules.
    Rules,
    /// The original system's literal rules, for comparison: they know counts, not rates.
    Original,
}

/// Proposed action, with its reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Proposal {
    pub(crate) action: Action,
    /// Reason for the action, or for none.
    pub(crate) evidence: Reason,
    pub(crate) decided_by: DecidedBy,
    /// Probabilities of the actions by a model, by class.
    pub(crate) probabilities: Option<[f64; 3]>,
    /// Set if the app does not answer.
    pub(crate) hang: bool,
    /// Set if a limit is too near to wait.
    pub(crate) urgent: bool,
}

/// Percentage of CPU or memory above which an operator may expect an action.
const HIGH_USAGE: f32 = 80.0;

/// Returns the action of minimum expected cost; the milder one where two cost the same.
#[must_use]
pub fn min_expected_cost(probabilities: [f64; 3], costs: &[[f64; 3]; 3]) -> Action {
    let cost = |action: Action| -> f64 {
        let column = action as usize;
        probabilities
            .iter()
            .zip(costs)
            .map(|(p, row)| p * row[column])
            .sum()
    };
    let mut best = Action::NoAction;
    for action in [Action::ResetErrors, Action::RestartService] {
        if cost(action) < cost(best) {
            best = action;
        }
    }
    best
}

// === impl Proposer ===

impl Proposer {
    /// Returns the proposal for a reading. `guards` are read only.
    pub(crate) fn propose(
        &self,
        reading: &Reading,
        guards: &Guards,
        config: &PolicyConfig,
    ) -> Proposal {
        match reading.lane {
            _ if reading.stale => Proposal::none(Reason::StaleAnswer),
            Lane::Reported => self.propose_reported(reading, guards, config),
            Lane::Refused | Lane::Stalled | Lane::Invalid => propose_unresponsive(reading),
        }
    }

    fn propose_reported(
        &self,
        reading: &Reading,
        guards: &Guards,
        config: &PolicyConfig,
    ) -> Proposal {
        let (wanted, decided_by, probabilities) = self.classify(&reading.features, config);
        let mut proposal = Proposal {
            decided_by,
            probabilities,
            urgent: reading.limit_urgent,
            ..Proposal::none(Reason::Healthy)
        };
        if decided_by == DecidedBy::OriginalRules {
            // The original has no evidence, only permission applies.
            proposal.action = wanted.unwrap_or_default();
            if proposal.action != Action::NoAction {
                proposal.evidence = Reason::ErrorCount;
            }
            return proposal;
        }
        let model_wants_restart =
            decided_by == DecidedBy::Model && wanted == Some(Action::RestartService);
        let symptoms = symptoms(reading, guards, model_wants_restart, config);
        proposal.evidence = evidence_reason(reading, guards, symptoms, wanted, config);
        if symptoms.hard == Some(Reason::LimitForecast) && !guards.is_treating() {
            // A forecast is arithmetic: the model's votes are recorded, but do not decide.
            return Proposal {
                action: Action::RestartService,
                evidence: Reason::LimitForecast,
                decided_by: DecidedBy::Rules,
                ..proposal
            };
        }
        if proposal.evidence.kind() == ReasonKind::Evidence {
            // The model decides if to act, escalation how strongly.
            proposal.action = rules::propose(&symptoms);
        }
        proposal
    }

    /// Returns the action that a model or the original rules want (`None`: as the evidence says), its
    /// author, and a model's probabilities.
    fn classify(
        &self,
        features: &Features,
        config: &PolicyConfig,
    ) -> (Option<Action>, DecidedBy, Option<[f64; 3]>) {
        match self {
            Self::Rules => (None, DecidedBy::Rules, None),
            Self::Original => {
                let action = rules::original(features);
                (Some(action), DecidedBy::OriginalRules, None)
            }
            Self::Model(model) => match model.votes(features) {
                Err(_) => (None, DecidedBy::Rules, None),
                Ok(votes) => {
                    let probabilities = votes.probabilities();
                    match config.model {
                        ModelRole::Advises => (None, DecidedBy::Rules, Some(probabilities)),
                        ModelRole::Decides => {
                            let action = min_expected_cost(probabilities, &config.costs);
                            (Some(action), DecidedBy::Model, Some(probabilities))
                        }
                    }
                }
            },
        }
    }
}

/// Returns the proposal for an app that does not answer.
fn propose_unresponsive(reading: &Reading) -> Proposal {
    let symptoms = Symptoms {
        soft: None,
        hard: reading.unresponsive,
    };
    let evidence = symptoms.hard.unwrap_or(match reading.lane {
        Lane::Refused if reading.ready => Reason::AppDown,
        Lane::Refused => Reason::Starting,
        Lane::Invalid => Reason::InvalidAnswer,
        Lane::Stalled | Lane::Reported => Reason::InsufficientEvidence,
    });
    Proposal {
        action: rules::propose(&symptoms),
        hang: true,
        ..Proposal::none(evidence)
    }
}

/// Returns the sustained symptoms of an app that answers, as far as a treatment may help.
fn symptoms(
    reading: &Reading,
    guards: &Guards,
    model_wants_restart: bool,
    config: &PolicyConfig,
) -> Symptoms {
    let soft = reading.soft_symptom;
    let limit_is_due = reading.limit_sustained && (reading.low_load || reading.limit_urgent);
    let restart_may_help = reading.available && !guards.restarts_failed(&config.permission);
    let soft_heals_failed = soft.is_some()
        && guards.allows_restart(model_wants_restart, &config.permission)
        && reading.ratio_sustained;
    let hard = if limit_is_due {
        Some(Reason::LimitForecast)
    } else if !restart_may_help {
        None
    } else if soft_heals_failed {
        Some(Reason::SoftHealFailed)
    } else {
        reading.hard_symptom
    };
    Symptoms { soft, hard }
}

/// Returns the reason for a treatment, or the reason why there is none.
fn evidence_reason(
    reading: &Reading,
    guards: &Guards,
    symptoms: Symptoms,
    wanted: Option<Action>,
    config: &PolicyConfig,
) -> Reason {
    if !reading.ready {
        Reason::Starting
    } else if guards.is_treating() {
        Reason::Probation
    } else if guards.attempts_exhausted(&config.permission) && symptoms.soft.is_some() {
        Reason::AttemptsExhausted
    } else if let Some(reason) = symptoms.hard.or(symptoms.soft) {
        if reading.awaiting_checks {
            Reason::AwaitingChecks
        } else if wanted == Some(Action::NoAction) {
            Reason::ModelDeclined
        } else {
            reason
        }
    } else if reading.hard_symptom.is_some() {
        // A restart is due, but none would help.
        if reading.available {
            Reason::AttemptsExhausted
        } else {
            Reason::NeverAvailable
        }
    } else if reading.limit_forecast {
        Reason::AwaitingLowLoad
    } else if reading.symptomatic {
        Reason::InsufficientEvidence
    } else if guards.awaiting().is_some() {
        Reason::Probation
    } else if has_high_usage(&reading.features) {
        Reason::ResourceUseOnly
    } else {
        Reason::Healthy
    }
}

fn has_high_usage(features: &Features) -> bool {
    [Feature::CpuUsage, Feature::MemoryUsage]
        .into_iter()
        .any(|feature| {
            features
                .get(feature)
                .is_some_and(|percent| percent > HIGH_USAGE)
        })
}

// === impl Proposal ===

impl Proposal {
    /// Returns the proposal to do nothing.
    pub(crate) fn none(evidence: Reason) -> Self {
        Self {
            action: Action::NoAction,
            evidence,
            decided_by: DecidedBy::Rules,
            probabilities: None,
            hang: false,
            urgent: false,
        }
    }
}
