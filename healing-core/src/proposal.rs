//! Proposal: the action that evidence justifies, before the guards permit it.

use crate::decision::{Action, DecidedBy, Reason};

/// Proposed action, with its reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Proposal {
    pub(crate) action: Action,
    /// Reason for the action, or for none.
    pub(crate) evidence: Reason,
    pub(crate) decided_by: DecidedBy,
    /// Probabilities of the actions by a model, by class.
    pub(crate) probabilities: Option<[f64; 3]>,
    /// Set if the app does not answer.
    pub(crate) hang: bool,
    /// Set if a limit is too near to wait.
    pub(crate) urgent: bool,
}

// === impl Proposal ===

impl Proposal {
    /// Returns the proposal to do nothing.
    pub(crate) fn none(evidence: Reason) -> Self {
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
