//! Controls: deciders that are known to be bad. A judge that does not show it measures nothing.

use super::policy::LivePolicy;
use crate::episode::Decider;
use healing_core::decision::{Action, TreatmentReport};
use healing_core::health::Health;
use healing_core::observation::{Now, Observation, ProbeResult};

/// CPU usage above which [`Cpu80`] restarts, in percent.
const CPU_PERCENT: f64 = 80.0;

/// Harmful control: it restarts an app at every poll that reports a high CPU usage.
#[derive(Debug, Default)]
pub(super) struct Cpu80;

impl Decider for Cpu80 {
    fn poll(&mut self, _: Now, observation: &Observation) -> Action {
        match &observation.care {
            ProbeResult::Valid(health, _)
                if health.cpu_usage.is_some_and(|cpu| cpu > CPU_PERCENT) =>
            {
                Action::RestartService
            }
            _ => Action::NoAction,
        }
    }
}

/// Blind control: the rules, which are shown the app's first valid answer at every poll.
#[derive(Debug)]
pub(super) struct Blind {
    policy: LivePolicy,
    first: Option<(Health, std::time::Duration)>,
}

impl Blind {
    /// Returns the control. The seed gives the policy's jitter.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            policy: LivePolicy::rules(seed),
            first: None,
        }
    }
}

impl Decider for Blind {
    fn poll(&mut self, now: Now, observation: &Observation) -> Action {
        if self.first.is_none()
            && let ProbeResult::Valid(health, after) = &observation.care
        {
            self.first = Some((health.clone(), *after));
        }
        let Some((health, after)) = self.first.clone() else {
            return Action::NoAction;
        };
        let observation = Observation {
            sockets: None,
            care: ProbeResult::Valid(health, after),
            front_door: ProbeResult::Valid((), after),
            circumstances: observation.circumstances,
        };
        self.policy.poll(now, &observation)
    }

    fn report(&mut self, now: Now, treatment: TreatmentReport) {
        self.policy.report(now, treatment);
    }
}

#[cfg(test)]
mod tests {
    use super::super::DeciderName;
    use super::*;
    use crate::judge::testing::{Fault, actions};

    #[test]
    fn harmful_control_restarts_a_busy_app() {
        let log = actions(DeciderName::Cpu80, Fault::Busy, 100);
        assert_eq!(log.first(), Some(&(60, Action::RestartService)));
        assert_eq!(actions(DeciderName::Rules, Fault::Busy, 600), vec![]);
    }

    #[test]
    fn blind_control_leaves_a_hung_app_alone() {
        assert_eq!(actions(DeciderName::Blind, Fault::Hung, 600), vec![]);
    }
}
