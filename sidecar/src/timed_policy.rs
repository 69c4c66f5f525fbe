//! The policy together with the clocks that drive it.

use healing_core::decision::{Decision, TreatmentReport};
use healing_core::observation::{Now, Observation};
use healing_core::policy::{Policy, PolicyState};

use crate::clock::Clock;

/// Policy that reads the time by itself.
#[derive(Debug)]
pub(crate) struct TimedPolicy {
    clock: Clock,
    policy: Policy,
}

impl TimedPolicy {
    /// Wraps a policy; `clock` must be the one by whose time it was restored.
    pub(crate) fn new(clock: Clock, policy: Policy) -> Self {
        Self { clock, policy }
    }

    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    /// Evaluates a poll and decides.
    pub(crate) fn step(&mut self, observation: &Observation) -> Decision {
        self.policy.step(self.clock.now(), observation)
    }

    /// Takes the report of a treatment.
    pub(crate) fn report_treatment(&mut self, treatment: TreatmentReport) {
        self.policy.report_treatment(self.clock.now(), treatment);
    }

    /// Returns the reasons of a decision as one sentence.
    pub(crate) fn explain(&self, decision: &Decision) -> String {
        self.policy.explain(decision).to_string()
    }

    /// Returns the state that the next process needs.
    pub(crate) fn state(&self) -> PolicyState {
        self.policy.state()
    }
}
