//! The policy together with the clocks that drive it.

use healing_core::decision::{Decision, TreatmentReport};
use healing_core::observation::{Now, Observation};
use healing_core::policy::{Policy, PolicyState};

use crate::clock::SystemClock;

/// Policy with its own clock.
#[derive(Debug)]
pub(crate) struct TimedPolicy {
    clock: SystemClock,
    policy: Policy,
}

impl TimedPolicy {
    /// Wraps a policy. `clock` must be the one that gave the time of its restore.
    pub(crate) fn new(clock: SystemClock, policy: Policy) -> Self {
        Self { clock, policy }
    }

    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    /// Returns the decision on an observation.
    pub(crate) fn step(&mut self, observation: &Observation) -> Decision {
        self.policy.step(self.clock.now(), observation)
    }

    /// Reports a treatment to the policy.
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
