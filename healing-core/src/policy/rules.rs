//! Compiled-in rules: the proposals if no model decides.

use crate::decision::Action;
use crate::evidence::Evidence;
use crate::features::{Feature, Features};

/// Returns the strongest treatment that the evidence justifies.
pub(super) fn propose(evidence: &Evidence) -> Action {
    if evidence.hard.is_some() {
        Action::RestartService
    } else if evidence.soft.is_some() {
        Action::ResetErrors
    } else {
        Action::NoAction
    }
}

/// Returns the action by the original system's fallback rules, which restart at 10 errors and reset at
/// 5. They count errors without a time window, so a busy healthy app reaches both numbers.
pub(super) fn original(features: &Features) -> Action {
    match features.get(Feature::ErrorCount) {
        Some(errors) if errors >= 10.0 => Action::RestartService,
        Some(errors) if errors >= 5.0 => Action::ResetErrors,
        _ => Action::NoAction,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Reason;

    #[test]
    fn hard_evidence_outweighs_soft_evidence() {
        let soft = Some(Reason::ErrorRatio);
        let hard = Some(Reason::RepeatedPanics);
        let evidence = |soft, hard| Evidence { soft, hard };
        assert_eq!(propose(&evidence(soft, hard)), Action::RestartService);
        assert_eq!(propose(&evidence(soft, None)), Action::ResetErrors);
        assert_eq!(propose(&evidence(None, None)), Action::NoAction);
    }

    #[test]
    fn original_rules_evaluate_the_error_count_only() {
        let with = |errors: f64| [(Feature::ErrorCount, errors)].into_iter().collect();
        assert_eq!(original(&Features::EMPTY), Action::NoAction);
        assert_eq!(original(&with(4.0)), Action::NoAction);
        assert_eq!(original(&with(5.0)), Action::ResetErrors);
        assert_eq!(original(&with(10.0)), Action::RestartService);
    }
}
