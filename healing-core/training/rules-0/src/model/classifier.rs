//! The interface between the policy and models: votes on features.

use crate::decision::Action;
use crate::features::{Feature, Features};

/// A trained model, as the policy uses it.
pub trait Classifier: std::fmt::Debug + Send + Sync {
    /// Returns the votes for the three actions.
    ///
    /// # Errors
    ///
    /// The first feature that prevents classification. The rules decide then.
    fn votes(&self, features: &Features) -> Result<Votes, CannotClassify>;
}

/// Number of trees that vote for each action, by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Votes(pub [u32; 3]);

impl Votes {
    /// Returns the number of trees: the sum of all votes.
    #[must_use]
    pub fn trees(self) -> u32 {
        self.0.iter().sum()
    }

    /// Returns the action with most votes. Ties go to the lowest class, as in smartcore.
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

    /// Returns the probability of each action: (votes + 1) / (trees + 3), so that even a unanimous
    /// forest is not certain.
    #[must_use]
    pub fn probabilities(self) -> [f64; 3] {
        let trees: f64 = self.0.iter().copied().map(f64::from).sum();
        self.0.map(|votes| (f64::from(votes) + 1.0) / (trees + 3.0))
    }
}

/// Reason for which a model cannot classify a row of features.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum CannotClassify {
    /// A required feature is absent.
    #[error("{0} is not known")]
    Missing(Feature),
    /// A bounded feature is outside its trained range.
    #[error("{0} is outside the trained range")]
    OutOfRange(Feature),
}
