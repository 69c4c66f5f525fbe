//! The frozen policy of `healing-rules-0` as a decider. Observations and actions are converted, so that
//! both crates keep their own types.

use super::trend::TrendSource;
use crate::episode::Decider;
use healing_core::decision as live;
use healing_core::observation as live_observation;
use healing_rules_0::config::{ModelRole, PolicyConfig};
use healing_rules_0::decision::{Action, Decision, Lane, Treatment, TreatmentResult};
use healing_rules_0::model::Model;
use healing_rules_0::observation::{
    Circumstances, InvalidAnswer, Mode, Now, Observation, ProbeResult,
};
use healing_rules_0::policy::{Policy, Proposer};
use healing_rules_0::trend::trend_rule;

/// Default model as of the frozen commit, as file content.
const FOREST_0: &[u8] = include_bytes!("../../../models/forest_0.model");

/// Frozen policy with its default settings.
#[derive(Debug)]
pub(super) struct FrozenPolicy(Policy);

impl FrozenPolicy {
    /// Returns the frozen policy with its compiled-in rules.
    pub(super) fn rules(seed: u64) -> Self {
        Self(Policy::new(PolicyConfig::default(), Proposer::Rules, seed))
    }

    /// Returns the frozen policy with the frozen model, which decides within the evidence.
    pub(super) fn forest(seed: u64) -> Self {
        let config = PolicyConfig {
            model: ModelRole::Decides,
            ..PolicyConfig::default()
        };
        // A test reads the model; the rules are the fallback that needs no panic.
        let proposer = Model::from_bytes(FOREST_0)
            .map_or(Proposer::Rules, |model| Proposer::Model(Box::new(model)));
        Self(Policy::new(config, proposer, seed))
    }

    fn step(
        &mut self,
        now: live_observation::Now,
        observation: &live_observation::Observation,
    ) -> Decision {
        self.0.step(frozen_now(now), &frozen(observation))
    }
}

impl Decider for FrozenPolicy {
    fn poll(
        &mut self,
        now: live_observation::Now,
        observation: &live_observation::Observation,
    ) -> live::Action {
        live_action(self.step(now, observation).action)
    }

    fn report(&mut self, now: live_observation::Now, treatment: live::TreatmentReport) {
        let treatment = Treatment {
            action: match treatment.action {
                live::Action::NoAction => Action::NoAction,
                live::Action::ResetErrors => Action::ResetErrors,
                live::Action::RestartService => Action::RestartService,
            },
            result: match treatment.result {
                live::TreatmentResult::Started => TreatmentResult::Started,
                live::TreatmentResult::Done => TreatmentResult::Done,
                live::TreatmentResult::Failed => TreatmentResult::Failed,
                live::TreatmentResult::Aborted => TreatmentResult::Aborted,
            },
        };
        self.0.report_treatment(frozen_now(now), treatment);
    }
}

impl TrendSource for FrozenPolicy {
    fn trend(
        &mut self,
        now: live_observation::Now,
        observation: &live_observation::Observation,
    ) -> live::Action {
        let decision = self.step(now, observation);
        match decision.lane {
            Lane::Reported | Lane::Stalled => live_action(trend_rule(&decision.features)),
            Lane::Refused | Lane::Invalid => live::Action::NoAction,
        }
    }
}

fn frozen_now(now: live_observation::Now) -> Now {
    Now {
        monotonic: now.monotonic,
        wall: now.wall,
    }
}

fn frozen(observation: &live_observation::Observation) -> Observation {
    let circumstances = observation.circumstances;
    Observation {
        care: probe_result(&observation.care),
        front_door: probe_result(&observation.front_door),
        circumstances: Circumstances {
            mode: Mode::Enforce,
            paused: circumstances.paused,
            state_writable: circumstances.state_writable,
            draining: circumstances.draining,
            process_alive: circumstances.process_alive,
        },
    }
}

fn probe_result<T: Clone>(result: &live_observation::ProbeResult<T>) -> ProbeResult<T> {
    match result {
        live_observation::ProbeResult::Valid(value, after) => {
            ProbeResult::Valid(value.clone(), *after)
        }
        // The frozen policy does not distinguish invalid answers.
        live_observation::ProbeResult::Invalid(_) => ProbeResult::Invalid(InvalidAnswer::Malformed),
        live_observation::ProbeResult::Refused => ProbeResult::Refused,
        live_observation::ProbeResult::TimedOut => ProbeResult::TimedOut,
        live_observation::ProbeResult::NotProbed => ProbeResult::NotProbed,
    }
}

fn live_action(action: Action) -> live::Action {
    match action {
        Action::NoAction => live::Action::NoAction,
        Action::ResetErrors => live::Action::ResetErrors,
        Action::RestartService => live::Action::RestartService,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frozen_model_is_readable_and_has_fifteen_features() {
        let model = Model::from_bytes(FOREST_0).unwrap();
        assert_eq!(model.header().name, "default");
        assert_eq!(model.features().len(), 15);
        assert_eq!(model.to_bytes(), FOREST_0);
    }
}
