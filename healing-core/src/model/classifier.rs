//! The seam between policy and models: anything that votes on features.

use crate::decision::Action;
use crate::features::{Feature, Features};

/// A trained model, as the policy sees it.
pub trait Classifier: std::fmt::Debug + Send + Sync {
    /// The votes for the three actions, by class.
    ///
    /// # Errors
    /// The first feature that keeps the model from judging: the rules decide then.
    fn votes(&self, features: &Features) -> Result<Votes, CannotClassify>;

    /// What each feature adds to the vote share of an action, largest first, with the share that
    /// the model gives without knowing any; `None` where the model cannot tell.
    fn contributions(&self, features: &Features, action: Action) -> Option<Contributions> {
        let _ = (features, action);
        None
    }
}

/// Contributions and base add up to the vote share.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// The vote share before anything is known.
    pub base: f64,
    /// What each feature adds or takes.
    pub features: Vec<(Feature, f64)>,
}

/// How many trees are for each action, by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Votes(pub [u32; 3]);

impl Votes {
    /// All votes: the number of trees.
    #[must_use]
    pub fn trees(self) -> u32 {
        self.0.iter().sum()
    }

    /// The action with most votes; the lowest class of those that tie, as in smartcore.
    #[must_use]
    pub fn class(self) -> Action {
        let mut best = Action::NoAction;
        for action in Action::ALL {
            if self.0[action as usize] > self.0[best as usize] {
                best = action;
            }
        }
        best
    }

    /// Probabilities, (votes + 1) / (trees + 3): an unanimous forest is not certain.
    #[must_use]
    pub fn probabilities(self) -> [f64; 3] {
        let trees: f64 = self.0.iter().copied().map(f64::from).sum();
        self.0.map(|votes| (f64::from(votes) + 1.0) / (trees + 3.0))
    }
}

/// Why a model cannot judge.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum CannotClassify {
    /// A feature that it needs could not be read.
    #[error("{0} is not known")]
    Missing(Feature),
    /// A bounded feature is outside the range that it was trained on.
    #[error("{0} is outside the trained range")]
    OutOfRange(Feature),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_become_probabilities_that_are_never_certain() {
        assert_eq!(Votes([97, 0, 0]).probabilities(), [0.98, 0.01, 0.01]);
        assert_eq!(Votes([0, 0, 0]).probabilities(), [1.0 / 3.0; 3]);
    }

    #[test]
    fn ties_go_to_the_lowest_class() {
        assert_eq!(Votes([5, 5, 0]).class(), Action::NoAction);
        assert_eq!(Votes([1, 4, 4]).class(), Action::ResetErrors);
        assert_eq!(Votes([1, 4, 5]).class(), Action::RestartService);
    }
}
