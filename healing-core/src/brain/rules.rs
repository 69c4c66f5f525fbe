//! The compiled-in rules: what is proposed where no model can judge.
//!
//! They are plain on purpose: each line is a sentence that an operator can check.

use crate::decision::Action;
use crate::evidence::Symptoms;
use crate::features::{Feature, Features};

/// The strongest treatment that the symptoms justify.
#[must_use]
pub fn propose(symptoms: &Symptoms) -> Action {
    if symptoms.hard.is_some() {
        Action::RestartService
    } else if symptoms.soft.is_some() {
        Action::ResetErrors
    } else {
        Action::NoAction
    }
}

/// The original system's fallback, word for word: restart at 10 errors, reset at 5. It compares a
/// count that never ages with fixed numbers, so a busy healthy app reaches both.
#[must_use]
pub fn original(features: &Features) -> Action {
    match features.get(Feature::ErrorCount) {
        Some(errors) if errors >= 10.0 => Action::RestartService,
        Some(errors) if errors >= 5.0 => Action::ResetErrors,
        _ => Action::NoAction,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_originals_rules_know_counts_only() {
        let with = |errors: f64| [(Feature::ErrorCount, errors)].into_iter().collect();
        assert_eq!(original(&Features::EMPTY), Action::NoAction);
        assert_eq!(original(&with(4.0)), Action::NoAction);
        assert_eq!(original(&with(5.0)), Action::ResetErrors);
        assert_eq!(original(&with(10.0)), Action::RestartService);
    }
}
