//! Escalation: observe, soft heal, soft heal, hard heal, then an operator. A treatment that failed is
//! not repeated beyond its attempts, and no stronger one comes before. Hangs and forecasts are exempt:
//! no soft heal can help there.

use serde::{Deserialize, Serialize};

use crate::config::PermissionConfig;
use crate::decision::{Action, Outcome};

/// Treatments in a row that failed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Escalation {
    soft_failed: u32,
    hard_failed: u32,
}

impl Escalation {
    /// Records the outcome of a treatment.
    pub(super) fn judge(&mut self, action: Action, outcome: Outcome, config: &PermissionConfig) {
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

    /// Reports if soft heals have failed often enough for a hard heal: as often as they may, or once
    /// where a model votes for it.
    pub(super) fn allows_restart(&self, by_model: bool, config: &PermissionConfig) -> bool {
        let needed = if by_model {
            config.soft_attempts.min(1)
        } else {
            config.soft_attempts
        };
        self.soft_failed >= needed
    }

    /// Reports if another soft heal may be tried.
    pub(super) fn allows_soft(&self, config: &PermissionConfig) -> bool {
        self.soft_failed < config.soft_attempts
    }

    /// Reports if hard heals have failed as often as they may.
    pub(super) fn restarts_failed(&self, config: &PermissionConfig) -> bool {
        self.hard_failed >= config.hard_attempts.max(1)
    }

    /// Reports if every treatment has failed as often as it may. A failed restart for a hang says
    /// nothing about soft heals.
    pub(super) fn attempts_exhausted(&self, config: &PermissionConfig) -> bool {
        self.restarts_failed(config) && !self.allows_soft(config)
    }

    /// Reports if no restart in a row has failed.
    pub(super) fn is_first_restart(&self) -> bool {
        self.hard_failed == 0
    }

    /// Starts over.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}
