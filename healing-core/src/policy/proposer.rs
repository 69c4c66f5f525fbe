//! Proposer: a pure function from a [`Reading`] to a [`Proposal`], bounded by the evidence. Rules handle
//! an unresponsive app; otherwise a model or the rules propose.
//!
//! # Hazards
//!
//! A model only *proposes*. Evidence limits the proposal, and permission limits the action. A model that
//! is wrong or hostile can fail to heal an unhealthy app, but cannot restart a healthy app or exceed a
//! budget. With [`ModelRole::Decides`] a vote without the error ratios only advises, because an app that counts
//! errors but no requests has none, and the model would decline errors that it cannot see.

use super::justification::{evidence, reason};
use super::rules;
use crate::config::{ModelRole, PolicyConfig};
use crate::decision::{
    Abstention, Action, DecidedBy, Decision, Lane, ModelRecord, Reason, ReasonKind,
};
use crate::evidence::Evidence;
use crate::features::{Feature, FeatureSet, Features};
use crate::guards::Guards;
use crate::model::{Classifier, Contributions, Model, Votes, builtin};
use crate::proposal::Proposal;
use crate::reading::Reading;

/// Source of the proposals.
#[derive(Debug)]
pub enum Proposer {
    /// A model, or the rules if it abstains.
    Model(Box<dyn Classifier>),
    /// The compiled-in rules.
    Rules,
    /// The original system's rules, unchanged, for comparison. They use error counts, not rates.
    Original,
}

/// Features that show errors. Without them a model only advises.
const ERROR_RATIOS: FeatureSet =
    FeatureSet::of(&[Feature::ErrorRatioFast, Feature::ErrorRatioSlow]);

/// Returns the action of minimum expected cost, and the milder action if two cost the same.
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
    /// Returns a proposer with the default model.
    #[must_use]
    pub fn default_model() -> Self {
        // A test checks that the default model is valid. The rules are the fallback, to avoid a panic.
        Model::from_bytes(builtin::DEFAULT)
            .map_or(Self::Rules, |model| Self::Model(Box::new(model)))
    }

    /// Returns the contribution of each feature to the vote for the proposed action. `None` if no model
    /// was consulted.
    pub(crate) fn contributions(&self, decision: &Decision) -> Option<Contributions> {
        match self {
            Self::Model(model) if decision.lane == Lane::Reported => {
                model.contributions(&decision.features, decision.proposed)
            }
            _ => None,
        }
    }

    /// Returns the proposal for a reading.
    pub(crate) fn propose(
        &self,
        reading: &Reading,
        guards: &Guards,
        config: &PolicyConfig,
    ) -> Proposal {
        let proposal = match reading.lane {
            _ if reading.stale => Proposal::none(Reason::StaleAnswer),
            Lane::Reported => self.propose_reported(reading, guards, config),
            Lane::Refused | Lane::Stalled | Lane::Invalid | Lane::Late => {
                propose_unresponsive(reading)
            }
        };
        Proposal {
            model: proposal.model.or_else(|| self.not_asked(reading)),
            ..proposal
        }
    }

    /// Returns the abstention of a model that is not asked for its votes.
    fn not_asked(&self, reading: &Reading) -> Option<ModelRecord> {
        let reason = if reading.stale {
            Abstention::StaleReport
        } else {
            Abstention::NoReport
        };
        matches!(self, Self::Model(_)).then(|| ModelRecord::abstained(reason))
    }

    /// Returns the proposal for an app that sends health reports.
    fn propose_reported(
        &self,
        reading: &Reading,
        guards: &Guards,
        config: &PolicyConfig,
    ) -> Proposal {
        let Opinion {
            preferred,
            decided_by,
            probabilities,
            model,
        } = self.classify(&reading.features, config);
        let mut proposal = Proposal {
            decided_by,
            probabilities,
            model,
            urgent: reading.limit_urgent,
            ..Proposal::none(Reason::Healthy)
        };
        if decided_by == DecidedBy::OriginalRules {
            // The original rules ignore the evidence. Only permission applies.
            proposal.action = preferred.unwrap_or_default();
            if proposal.action != Action::NoAction {
                proposal.reason = Reason::ErrorCount;
            }
            return proposal;
        }
        let model_prefers_restart =
            decided_by == DecidedBy::Model && preferred == Some(Action::RestartService);
        let evidence = evidence(reading, guards, model_prefers_restart, config);
        proposal.reason = reason(reading, guards, evidence, preferred, config);
        if evidence.hard == Some(Reason::LimitForecast) && !guards.is_treating() {
            // A limit forecast overrides the model; its votes are only recorded.
            return Proposal {
                action: Action::RestartService,
                reason: Reason::LimitForecast,
                decided_by: DecidedBy::Rules,
                ..proposal
            };
        }
        if proposal.reason.kind() == ReasonKind::Evidence {
            // The model decides whether to act; escalation decides how.
            proposal.action = rules::propose(&evidence);
        }
        proposal
    }

    /// Returns the opinion on the features of a report.
    fn classify(&self, features: &Features, config: &PolicyConfig) -> Opinion {
        match self {
            Self::Rules => Opinion::RULES,
            Self::Original => Opinion {
                preferred: Some(rules::original(features)),
                decided_by: DecidedBy::OriginalRules,
                ..Opinion::RULES
            },
            Self::Model(model) => {
                let classification = model.classify(features);
                let probabilities = classification.votes.ok().map(Votes::probabilities);
                let decides = config.model == ModelRole::Decides
                    && !classification.absent.intersects(ERROR_RATIOS);
                let preferred = probabilities
                    .filter(|_| decides)
                    .map(|shares| min_expected_cost(shares, &config.costs));
                Opinion {
                    preferred,
                    decided_by: preferred.map_or(DecidedBy::Rules, |_| DecidedBy::Model),
                    probabilities,
                    model: Some(classification.record()),
                }
            }
        }
    }
}

/// Opinion of a model or of the original rules on a report.
struct Opinion {
    /// Preferred action; `None` to follow the evidence.
    preferred: Option<Action>,
    decided_by: DecidedBy,
    /// The model's probability for each action.
    probabilities: Option<[f64; 3]>,
    model: Option<ModelRecord>,
}

impl Opinion {
    /// Opinion of the compiled-in rules, which follow the evidence.
    const RULES: Self = Self {
        preferred: None,
        decided_by: DecidedBy::Rules,
        probabilities: None,
        model: None,
    };
}

/// Returns the proposal for an app that sends no valid health report or is stalled.
fn propose_unresponsive(reading: &Reading) -> Proposal {
    let evidence = Evidence {
        soft: None,
        hard: reading.unresponsive,
    };
    let reason = evidence.hard.unwrap_or(match reading.lane {
        Lane::Late => Reason::DoctorLate,
        Lane::Invalid => Reason::InvalidAnswer,
        Lane::Refused if reading.has_served => Reason::AppDown,
        _ if !reading.has_been_ready || !reading.has_served => Reason::Starting,
        Lane::Refused | Lane::Stalled | Lane::Reported => Reason::InsufficientEvidence,
    });
    Proposal {
        action: rules::propose(&evidence),
        unresponsive: true,
        ..Proposal::none(reason)
    }
}

#[cfg(test)]
mod tests;
