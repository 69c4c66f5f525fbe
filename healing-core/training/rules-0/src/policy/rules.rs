//! Compiled-in rules: the proposal where no model classifies. Each line is a sentence that an operator
//! can check.

use crate::decision::Action;
use crate::evidence::Symptoms;
use crate::features::{Feature, Features};

/// Returns the strongest treatment that the symptoms justify.
pub(super) fn propose(symptoms: &Symptoms) -> Action {
    if symptoms.hard.is_some() {
        Action::RestartService
    } else if symptoms.soft.is_some() {
        Action::ResetErrors
    } else {
        Action::NoAction
    }
}

/// Returns the action by the original system's fallback rules: restart at 10 errors, reset at 5. They
/// compare a count that never ages with fixed numbers, so a busy healthy app reaches both.
pub(super) fn original(features: &Features) -> Action {
    match features.get(Feature::ErrorCount) {
        Some(errors) if errors >= 10.0 => Action::RestartService,
        Some(errors) if errors >= 5.0 => Action::ResetErrors,
        _ => Action::NoAction,
    }
}
