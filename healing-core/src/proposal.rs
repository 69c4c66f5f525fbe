//! Proposal: the action that the evidence justifies, before the guards evaluate permission.

use crate::decision::{Action, DecidedBy, ModelRecord, Reason};

/// Proposed action, with its reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Proposal {
    pub(crate) action: Action,
    /// Reason for the action or for taking none.
    pub(crate) reason: Reason,
    pub(crate) decided_by: DecidedBy,
    /// The model's probability for each action.
    pub(crate) probabilities: Option<[f64; 3]>,
    /// Part of the model; `None` if the proposer is no model.
    pub(crate) model: Option<ModelRecord>,
    /// Set if the app sends no valid health report or is stalled.
    pub(crate) unresponsive: bool,
    /// Set if the limit will be reached too soon to wait for low load.
    pub(crate) urgent: bool,
}

// === impl Proposal ===

impl Proposal {
    /// Returns the proposal to do nothing.
    pub(crate) fn none(reason: Reason) -> Self {
        Self {
            action: Action::NoAction,
            reason,
            decided_by: DecidedBy::Rules,
            probabilities: None,
            model: None,
            unresponsive: false,
            urgent: false,
        }
    }
}
