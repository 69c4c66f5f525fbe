//! Escalation: observe, soft heal, soft heal, hard heal, then an operator. Each treatment has a maximum
//! number of failed attempts, and a stronger one is allowed only after these. Restarts of unresponsive
//! apps and for limit forecasts are exempt, because soft heals cannot help there.

use serde::{Deserialize, Serialize};

use crate::config::PermissionConfig;
use crate::decision::{Action, Outcome};

/// Number of consecutive failures of each treatment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Escalation {
    soft_failed: u32,
    hard_failed: u32,
}

impl Escalation {
    /// Records the outcome of a treatment.
    pub(super) fn record(&mut self, action: Action, outcome: Outcome, config: &PermissionConfig) {
        match (action, outcome) {
            (Action::NoAction, _) | (_, Outcome::Aborted) => {}
            (_, Outcome::Recovered) => *self = Self::default(),
            (Action::ResetErrors, Outcome::Ineffective) => {
                self.soft_failed = self.soft_failed.saturating_add(1);
            }
            // A treatment that made the app worse is not repeated.
            (Action::ResetErrors, Outcome::Worse) => {
                self.soft_failed = self.soft_failed.max(config.soft_attempts);
            }
            (Action::RestartService, Outcome::Ineffective | Outcome::Worse) => {
                self.hard_failed = self.hard_failed.saturating_add(1);
            }
        }
    }

    /// Returns `true` if soft heals have failed often enough for a hard heal: `soft_attempts` times, or
    /// once if a model votes for a restart (`by_model`).
    pub(super) fn allows_restart(&self, by_model: bool, config: &PermissionConfig) -> bool {
        let needed = if by_model {
            config.soft_attempts.min(1)
        } else {
            config.soft_attempts
        };
        self.soft_failed >= needed
    }

    /// Returns `true` if another soft heal is allowed.
    pub(super) fn allows_soft(&self, config: &PermissionConfig) -> bool {
        self.soft_failed < config.soft_attempts
    }

    /// Returns `true` if hard heals have reached the allowed number of failures.
    pub(super) fn restarts_failed(&self, config: &PermissionConfig) -> bool {
        self.hard_failed >= config.hard_attempts.max(1)
    }

    /// Returns `true` if every kind of treatment has reached the allowed number of failures. Soft heals
    /// remain allowed after failed restarts of an unresponsive app.
    pub(super) fn attempts_exhausted(&self, config: &PermissionConfig) -> bool {
        self.restarts_failed(config) && !self.allows_soft(config)
    }

    /// Returns `true` if no restart has failed since the last recovery or reset.
    pub(super) fn is_first_restart(&self) -> bool {
        self.hard_failed == 0
    }

    /// Resets the numbers of failures.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escalation_goes_from_soft_heals_to_a_restart_to_exhaustion() {
        let config = PermissionConfig::default();
        let mut escalation = Escalation::default();
        assert!(escalation.allows_soft(&config) && !escalation.allows_restart(true, &config));
        escalation.record(Action::ResetErrors, Outcome::Ineffective, &config);
        assert!(escalation.allows_soft(&config) && !escalation.allows_restart(false, &config));
        assert!(
            escalation.allows_restart(true, &config),
            "a model may escalate after one soft heal"
        );
        escalation.record(Action::ResetErrors, Outcome::Aborted, &config);
        assert!(
            !escalation.allows_restart(false, &config),
            "an aborted attempt does not count"
        );
        escalation.record(Action::ResetErrors, Outcome::Ineffective, &config);
        assert!(!escalation.allows_soft(&config) && escalation.allows_restart(false, &config));
        escalation.record(Action::RestartService, Outcome::Ineffective, &config);
        assert!(escalation.attempts_exhausted(&config));
        escalation.record(Action::RestartService, Outcome::Recovered, &config);
        assert!(!escalation.attempts_exhausted(&config) && escalation.allows_soft(&config));
    }

    #[test]
    fn soft_heal_that_made_the_app_worse_is_not_repeated() {
        let config = PermissionConfig::default();
        let mut escalation = Escalation::default();
        escalation.record(Action::ResetErrors, Outcome::Worse, &config);
        assert!(!escalation.allows_soft(&config));
    }
}
