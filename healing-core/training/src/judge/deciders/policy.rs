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
pub(super) struct LivePolicy {
    policy: Policy,
    latest: Option<Decision>,
}

impl LivePolicy {
    /// Returns the policy with the compiled-in rules.
    pub(super) fn rules(seed: u64) -> Self {
        Self::new(Policy::new(PolicyConfig::default(), Proposer::Rules, seed))
    }

    /// Returns the policy with the default model, which decides within the evidence.
    pub(super) fn forest(seed: u64) -> Self {
        let config = PolicyConfig {
            model: ModelRole::Decides,
            ..PolicyConfig::default()
        };
        Self::new(Policy::new(config, Proposer::default_model(), seed))
    }

    fn new(policy: Policy) -> Self {
        Self {
            policy,
            latest: None,
        }
    }

    fn step(&mut self, now: Now, observation: &Observation) -> &Decision {
        let decision = if observation.circumstances.mode == Mode::Enforce {
            self.policy.step(now, observation)
        } else {
            let mut observation = observation.clone();
            observation.circumstances.mode = Mode::Enforce;
            self.policy.step(now, &observation)
        };
        self.latest.insert(decision)
    }
}

impl Decider for LivePolicy {
    fn poll(&mut self, now: Now, observation: &Observation) -> Action {
        self.step(now, observation).action
    }

    fn report(&mut self, now: Now, treatment: TreatmentReport) {
        self.policy.report_treatment(now, treatment);
    }

    fn decision(&self) -> Option<&Decision> {
        self.latest.as_ref()
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
