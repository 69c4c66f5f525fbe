//! The interface between the policy and models: votes on features.

use crate::decision::Action;
use crate::features::{Feature, FeatureSet, Features};
use crate::model_record::{Abstention, ModelRecord};

/// A trained model, as the policy uses it.
pub trait Classifier: std::fmt::Debug + Send + Sync {
    /// Returns the votes for the three actions, or an abstention. After an abstention the rules decide.
    fn classify(&self, features: &Features) -> Classification;

    /// Returns the contribution of each feature to the vote share of an action, the largest first;
    /// `None` if the model cannot explain its votes.
    fn contributions(&self, features: &Features, action: Action) -> Option<Contributions> {
        let _ = (features, action);
        None
    }
}

/// Result of a classification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classification {
    /// Votes, or the reason for which the model abstains.
    pub votes: Result<Votes, Abstention>,
    /// Features of the model whose value was clamped to the trained range.
    pub clamped: FeatureSet,
    /// Features of the model that are absent, so that it got their neutral values.
    pub absent: FeatureSet,
}

// === impl Classification ===

impl Classification {
    /// Returns the record for the decision.
    #[must_use]
    pub fn record(&self) -> ModelRecord {
        ModelRecord {
            abstained: self.votes.err(),
            clamped: self.clamped,
            absent: self.absent,
        }
    }
}

/// Result of a model that got every feature as it is, or none.
impl From<Result<Votes, Abstention>> for Classification {
    fn from(votes: Result<Votes, Abstention>) -> Self {
        Self {
            votes,
            clamped: FeatureSet::EMPTY,
            absent: FeatureSet::EMPTY,
        }
    }
}

/// Contributions of the features to a vote share. Base and contributions add up to the share.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// Vote share while no feature is known, 0–1.
    pub base: f64,
    /// Contribution of each feature to the share, −1 to 1; negative if it lowers the share.
    pub features: Vec<(Feature, f64)>,
}

/// Number of trees that vote for each action, by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Votes(pub [u32; 3]);

impl Votes {
    /// Returns the number of trees, which is the sum of all votes.
    #[must_use]
    pub fn trees(self) -> u32 {
        self.0.iter().sum()
    }

    /// Returns the action with the most votes, and the lowest class in a tie, as smartcore does.
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

/// Absent feature of a model that has no neutral value, so that the model cannot vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not known, and no value of it is neutral")]
pub struct MissingFeature(pub Feature);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vote_probabilities_are_never_certain() {
        assert_eq!(Votes([97, 0, 0]).probabilities(), [0.98, 0.01, 0.01]);
        assert_eq!(Votes([0, 0, 0]).probabilities(), [1.0 / 3.0; 3]);
    }

    #[test]
    fn vote_ties_go_to_lowest_class() {
        assert_eq!(Votes([5, 5, 0]).class(), Action::NoAction);
        assert_eq!(Votes([1, 4, 4]).class(), Action::ResetErrors);
        assert_eq!(Votes([1, 4, 5]).class(), Action::RestartService);
    }
}
