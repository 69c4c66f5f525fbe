//! Who proposes what: the rules in the silent lanes, the brain in the reported one, each within what
//! the evidence allows.

use super::Policy;
use crate::brain::{Proposer, min_expected_cost, rules};
use crate::config::ModelRole;
use crate::decision::{Action, DecidedBy, Lane, Reason, ReasonKind};
use crate::evidence::Symptoms;
use crate::features::{Feature, Features};
use crate::forecast::Forecast;
use crate::lane::Classified;
use crate::observation::Circumstances;
use crate::time::Time;

/// What is proposed, and why.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proposal {
    pub(super) action: Action,
    pub(super) evidence: Reason,
    pub(super) decided_by: DecidedBy,
    pub(super) probabilities: Option<[f64; 3]>,
    pub(super) hang: bool,
    pub(super) urgent: bool,
}

// === impl Policy ===

impl Policy {
    /// The symptoms that have lasted long enough.
    pub(super) fn symptoms(
        &self,
        classified: Classified,
        circumstances: Circumstances,
        asked_by_model: bool,
    ) -> Symptoms {
        let seen = &self.seen;
        let evidence = &self.config.evidence;
        if classified.lane != Lane::Reported {
            let alive = self.is_alive(circumstances);
            return Symptoms {
                soft: None,
                hard: seen.silence.hard(classified, alive, evidence),
            };
        }
        let soft = seen.errors.soft(evidence);
        let escalated = self
            .durable
            .escalation
            .allows_restart(asked_by_model, &self.config.permission);
        let hard = if self.foresees_limit() && (seen.quiet || self.is_urgent()) {
            Some(Reason::LimitForecast)
        } else if !self.may_help() {
            None
        } else {
            (soft.is_some() && escalated && seen.errors.ratio_lasts(evidence))
                .then_some(Reason::SoftHealFailed)
                .or(self.troubled(Lane::Reported))
        };
        Symptoms { soft, hard }
    }

    /// A symptom beside errors that has lasted long enough for a hard heal, of an app that answers.
    pub(super) fn troubled(&self, lane: Lane) -> Option<Reason> {
        (lane == Lane::Reported)
            .then(|| self.seen.trouble.hard(&self.config.evidence))
            .flatten()
    }

    /// Another start of the same may help: it has worked since the last one, and none has failed.
    fn may_help(&self) -> bool {
        let restarts_failed = self
            .durable
            .escalation
            .restarts_failed(&self.config.permission);
        self.durable.instance.availability.is_available() && !restarts_failed
    }

    fn is_alive(&self, circumstances: Circumstances) -> bool {
        circumstances.process_alive == Some(true) && self.seen.ready && !self.seen.draining
    }

    /// A limit has been foreseen for as many polls in a row as a hard heal needs.
    fn foresees_limit(&self) -> bool {
        self.seen.alarms >= self.config.evidence.hard_polls.max(1)
    }

    fn is_urgent(&self) -> bool {
        self.alarming()
            .any(|forecast| forecast.time_to_limit <= self.config.forecast.urgent_below)
    }

    pub(super) fn alarming(&self) -> impl Iterator<Item = &Forecast> {
        [&self.seen.memory, &self.seen.file_descriptors]
            .into_iter()
            .filter_map(|trend| trend.forecast())
            .filter(|forecast| forecast.alarming)
    }

    /// The silent lanes: the rules propose.
    pub(super) fn propose_silent(&self, classified: Classified, symptoms: Symptoms) -> Proposal {
        let evidence = symptoms.hard.unwrap_or(match classified.lane {
            Lane::Refused if self.seen.ready => Reason::AppDown,
            Lane::Refused => Reason::Starting,
            Lane::Invalid => Reason::InvalidAnswer,
            _ => Reason::InsufficientEvidence,
        });
        Proposal {
            action: rules::propose(&symptoms),
            evidence,
            decided_by: DecidedBy::Rules,
            probabilities: None,
            hang: true,
            urgent: false,
        }
    }

    /// The reported lane: the brain proposes within what the evidence allows.
    pub(super) fn propose_reported(
        &self,
        now: Time,
        features: &Features,
        circumstances: Circumstances,
    ) -> Proposal {
        let (wanted, decided_by, probabilities) = self.ask_brain(features);
        let mut proposal = Proposal {
            action: Action::NoAction,
            evidence: Reason::Healthy,
            decided_by,
            probabilities,
            hang: false,
            urgent: self.is_urgent(),
        };
        if decided_by == DecidedBy::OriginalRules {
            // Literally the original: no evidence, only permission.
            proposal.action = wanted.unwrap_or_default();
            if proposal.action != Action::NoAction {
                proposal.evidence = Reason::ErrorCount;
            }
            return proposal;
        }
        let reported = Classified {
            lane: Lane::Reported,
            silence: Reason::Healthy,
        };
        let asks_for_restart =
            decided_by == DecidedBy::Model && wanted == Some(Action::RestartService);
        let symptoms = self.symptoms(reported, circumstances, asks_for_restart);
        proposal.evidence = self.quiet_reason(now, &symptoms, wanted, features);
        if symptoms.hard == Some(Reason::LimitForecast) && !self.durable.probation.is_carried() {
            // A forecast is arithmetic: the model's votes are recorded, not asked.
            return Proposal {
                action: Action::RestartService,
                evidence: Reason::LimitForecast,
                decided_by: DecidedBy::Rules,
                ..proposal
            };
        }
        if proposal.evidence.kind() == ReasonKind::Evidence {
            // Whether to act is the brain's to say, how strongly the ladder's.
            proposal.action = rules::propose(&symptoms);
        }
        proposal
    }

    /// What the brain would do (`None`: whatever the evidence allows), and who said so.
    fn ask_brain(&self, features: &Features) -> (Option<Action>, DecidedBy, Option<[f64; 3]>) {
        match &self.brain {
            Proposer::Rules => (None, DecidedBy::Rules, None),
            Proposer::Original => (
                Some(rules::original(features)),
                DecidedBy::OriginalRules,
                None,
            ),
            Proposer::Model(model) => match model.votes(features) {
                Err(_) => (None, DecidedBy::Rules, None),
                Ok(votes) => {
                    let probabilities = votes.probabilities();
                    match self.config.model {
                        ModelRole::Advises => (None, DecidedBy::Rules, Some(probabilities)),
                        ModelRole::Decides => {
                            let action = min_expected_cost(probabilities, &self.config.costs);
                            (Some(action), DecidedBy::Model, Some(probabilities))
                        }
                    }
                }
            },
        }
    }

    /// The evidence for an action, or the reason why there is none.
    fn quiet_reason(
        &self,
        now: Time,
        symptoms: &Symptoms,
        wanted: Option<Action>,
        features: &Features,
    ) -> Reason {
        let seen = &self.seen;
        let onset = seen.onset().unwrap_or(now);
        let waits_for_checks = now.since(onset) < self.config.evidence.check_expiry
            && seen.dependencies.must_be_checked(onset);
        if !seen.ready {
            Reason::Starting
        } else if self.durable.probation.is_carried() {
            Reason::Probation
        } else if self
            .durable
            .escalation
            .attempts_exhausted(&self.config.permission)
            && symptoms.soft.is_some()
        {
            Reason::AttemptsExhausted
        } else if let Some(reason) = symptoms.hard.or(symptoms.soft) {
            if waits_for_checks {
                Reason::AwaitingChecks
            } else if wanted == Some(Action::NoAction) {
                Reason::ModelDeclined
            } else {
                reason
            }
        } else if self.troubled(Lane::Reported).is_some() {
            // A restart would be due, but none would help.
            if self.durable.instance.availability.is_available() {
                Reason::AttemptsExhausted
            } else {
                Reason::NeverAvailable
            }
        } else if self.alarming().next().is_some() {
            Reason::AwaitingLowLoad
        } else if seen.is_symptomatic() {
            Reason::InsufficientEvidence
        } else if self.durable.probation.is_open() {
            Reason::Probation
        } else if is_high(features) {
            Reason::ResourceUseOnly
        } else {
            Reason::Healthy
        }
    }
}

/// CPU or memory so high that someone will ask why nothing is done.
fn is_high(features: &Features) -> bool {
    [Feature::CpuUsage, Feature::MemoryUsage]
        .into_iter()
        .any(|feature| features.get(feature).is_some_and(|percent| percent > 80.0))
}

// === impl Proposal ===

impl Proposal {
    pub(super) fn none(evidence: Reason) -> Self {
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
