//! The order of treatments: observe, soft, soft, hard, give up loudly. What failed is not repeated
//! beyond its attempts, and nothing stronger comes before it. Hangs and forecasts stand outside: no
//! soft heal can help there.

use serde::{Deserialize, Serialize};

use crate::config::PermissionConfig;
use crate::decision::{Action, Outcome};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Escalation {
    soft_failed: u32,
    hard_failed: u32,
}

impl Escalation {
    pub(crate) fn judge(&mut self, action: Action, outcome: Outcome, config: &PermissionConfig) {
        match (action, outcome) {
            (Action::NoAction, _) | (_, Outcome::Aborted) => {}
            (_, Outcome::Recovered) => *self = Self::default(),
            (Action::ResetErrors, Outcome::Ineffective) => {
                self.soft_failed = self.soft_failed.saturating_add(1);
            }
            // What made it worse is not tried again.
            (Action::ResetErrors, Outcome::Worse) => {
                self.soft_failed = self.soft_failed.max(config.soft_attempts);
            }
            (Action::RestartService, Outcome::Ineffective | Outcome::Worse) => {
                self.hard_failed = self.hard_failed.saturating_add(1);
            }
        }
    }

    /// Soft heals have failed often enough for a hard one: twice, or once where a model asks for it.
    pub(crate) fn allows_restart(&self, asked_by_model: bool, config: &PermissionConfig) -> bool {
        let needed = if asked_by_model {
            config.soft_attempts.min(1)
        } else {
            config.soft_attempts
        };
        self.soft_failed >= needed
    }

    pub(crate) fn allows_soft(&self, config: &PermissionConfig) -> bool {
        self.soft_failed < config.soft_attempts
    }

    /// Hard heals have failed often enough: another is not tried, whatever speaks for it.
    pub(crate) fn restarts_failed(&self, config: &PermissionConfig) -> bool {
        self.hard_failed >= config.hard_attempts.max(1)
    }

    /// Everything was tried. A restart for a hang that failed says nothing of soft heals.
    pub(crate) fn attempts_exhausted(&self, config: &PermissionConfig) -> bool {
        self.restarts_failed(config) && !self.allows_soft(config)
    }

    pub(crate) fn is_first_restart(&self) -> bool {
        self.hard_failed == 0
    }

    /// A new start, or healthy for long.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_soft_hard_give_up() {
        let config = PermissionConfig::default();
        let mut ladder = Escalation::default();
        assert!(ladder.allows_soft(&config) && !ladder.allows_restart(true, &config));
        ladder.judge(Action::ResetErrors, Outcome::Ineffective, &config);
        assert!(ladder.allows_soft(&config) && !ladder.allows_restart(false, &config));
        assert!(
            ladder.allows_restart(true, &config),
            "a model may shorten it"
        );
        ladder.judge(Action::ResetErrors, Outcome::Aborted, &config);
        assert!(
            !ladder.allows_restart(false, &config),
            "an attempt that never was does not count"
        );
        ladder.judge(Action::ResetErrors, Outcome::Ineffective, &config);
        assert!(!ladder.allows_soft(&config) && ladder.allows_restart(false, &config));
        ladder.judge(Action::RestartService, Outcome::Ineffective, &config);
        assert!(ladder.attempts_exhausted(&config));
        ladder.judge(Action::RestartService, Outcome::Recovered, &config);
        assert!(!ladder.attempts_exhausted(&config) && ladder.allows_soft(&config));
    }

    #[test]
    fn what_made_it_worse_is_not_repeated() {
        let config = PermissionConfig::default();
        let mut ladder = Escalation::default();
        ladder.judge(Action::ResetErrors, Outcome::Worse, &config);
        assert!(!ladder.allows_soft(&config));
    }
}
