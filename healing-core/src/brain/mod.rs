//! Who proposes an action for an app that answers: a model's votes, or compiled-in rules.
//!
//! Hazard: a brain only *proposes*. Evidence says what may be proposed at all, permission what may
//! be done; so a model that is wrong, or hostile, can leave an ill app alone but cannot heal a
//! healthy one or exceed a budget.

pub mod rules;

use crate::decision::Action;
pub use crate::model::{CannotClassify, Classifier, Contributions, Model, Votes};

/// Who proposes.
#[derive(Debug)]
pub enum Proposer {
    /// A model; the rules where it cannot judge.
    Model(Box<dyn Classifier>),
    /// The compiled-in rules.
    Rules,
    /// The original system's literal rules, for comparison: they know counts, not rates.
    Original,
}

/// The action of the least expected cost; the milder one where two cost the same.
#[must_use]
pub fn min_expected_cost(probabilities: [f64; 3], costs: &[[f64; 3]; 3]) -> Action {
    let cost = |action: Action| -> f64 {
        let column = action as usize;
        probabilities
            .iter()
            .zip(costs)
            .map(|(p, row)| p * row[column])
            .sum()
    };
    let mut best = Action::NoAction;
    for action in [Action::ResetErrors, Action::RestartService] {
        if cost(action) < cost(best) {
            best = action;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: [[f64; 3]; 3] = [[0.0, 1.0, 10.0], [5.0, 0.0, 10.0], [20.0, 20.0, 0.0]];

    #[test]
    fn costs_weigh_the_votes() {
        assert_eq!(
            min_expected_cost([0.98, 0.01, 0.01], &COSTS),
            Action::NoAction
        );
        assert_eq!(
            min_expected_cost([0.6, 0.3, 0.1], &COSTS),
            Action::ResetErrors
        );
        // A majority for reset, but a missed restart is dearer than a needless one.
        assert_eq!(
            min_expected_cost([0.1, 0.5, 0.4], &COSTS),
            Action::RestartService
        );
        assert_eq!(min_expected_cost([f64::NAN; 3], &COSTS), Action::NoAction);
    }
}
