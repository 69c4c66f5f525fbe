//! The policy of `healing-core` as a decider.

use super::trend::TrendSource;
use crate::baselines::trend_rule;
use crate::episode::Decider;
use healing_core::config::{ModelRole, PolicyConfig};
use healing_core::decision::{Action, Decision, Lane, TreatmentReport};
use healing_core::observation::{Mode, Now, Observation};
use healing_core::policy::{Policy, Proposer};

/// Policy with default settings.
#[derive(Debug)]
pub(super) struct LivePolicy(Policy);

impl LivePolicy {
    /// Returns the policy with the compiled-in rules.
    pub(super) fn rules(seed: u64) -> Self {
        Self(Policy::new(PolicyConfig::default(), Proposer::Rules, seed))
    }

    /// Returns the policy with the default model, which decides within the evidence.
    pub(super) fn forest(seed: u64) -> Self {
        let config = PolicyConfig {
            model: ModelRole::Decides,
            ..PolicyConfig::default()
        };
        Self(Policy::new(config, Proposer::default_model(), seed))
    }

    fn step(&mut self, now: Now, observation: &Observation) -> Decision {
        if observation.circumstances.mode == Mode::Enforce {
            return self.0.step(now, observation);
        }
        let mut observation = observation.clone();
        observation.circumstances.mode = Mode::Enforce;
        self.0.step(now, &observation)
    }
}

impl Decider for LivePolicy {
    fn poll(&mut self, now: Now, observation: &Observation) -> Action {
        self.step(now, observation).action
    }

    fn report(&mut self, now: Now, treatment: TreatmentReport) {
        self.0.report_treatment(now, treatment);
    }
}

impl TrendSource for LivePolicy {
    fn trend(&mut self, now: Now, observation: &Observation) -> Action {
        let decision = self.step(now, observation);
        match decision.lane {
            Lane::Reported | Lane::Stalled => trend_rule(&decision.features),
            Lane::Refused | Lane::Invalid | Lane::Late => Action::NoAction,
        }
    }
}
