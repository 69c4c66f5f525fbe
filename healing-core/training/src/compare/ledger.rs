//! Ledger of one decider's decisions, and the score computed from it.

use serde::Serialize;

use crate::simulator::Example;
use healing_core::decision::Action;

/// Decisions of one decider, one for each test example.
pub(super) struct Ledger {
    pub(super) decider: &'static str,
    pub(super) decisions: Vec<Action>,
}

/// Score of one decider.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Name of the decider.
    pub decider: &'static str,
    /// Number of decisions by label, then by decision.
    pub confusion: [[usize; 3]; 3],
    /// Mean cost of a decision.
    pub mean_cost: f64,
    /// Mean share of requests lost in the next five minutes in excess of the best action's loss.
    pub regret: f64,
}

impl Ledger {
    /// Computes the score on the test examples.
    #[allow(clippy::cast_precision_loss)] // decisions
    pub(super) fn score(&self, test: &[&Example], costs: &[[f64; 3]; 3]) -> Score {
        let mut confusion = [[0; 3]; 3];
        let (mut cost, mut regret) = (0.0, 0.0);
        for (decision, example) in self.decisions.iter().zip(test) {
            let (label, decided) = (example.label as usize, *decision as usize);
            confusion[label][decided] += 1;
            cost += costs[label][decided];
            let least = example.loss.iter().copied().fold(f64::INFINITY, f64::min);
            regret += example.loss[decided] - least;
        }
        let count = test.len().max(1) as f64;
        Score {
            decider: self.decider,
            confusion,
            mean_cost: cost / count,
            regret: regret / count,
        }
    }
}

impl Score {
    /// Returns precision and recall of an action; each is absent if it is undefined.
    #[must_use]
    pub fn precision_recall(&self, action: Action) -> (Option<f64>, Option<f64>) {
        let class = action as usize;
        let hits = self.confusion[class][class];
        let decided: usize = self.confusion.iter().map(|row| row[class]).sum();
        let labelled: usize = self.confusion[class].iter().sum();
        #[allow(clippy::cast_precision_loss)] // decisions
        let share = |whole: usize| (whole > 0).then(|| hits as f64 / whole as f64);
        (share(decided), share(labelled))
    }

    /// Returns the mean of one decider's scores, weighted by their decisions; absent without scores.
    pub(super) fn weighted_mean<'a>(scores: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut decider = None;
        let (mut decisions, mut cost, mut regret) = (0.0, 0.0, 0.0);
        let mut confusion = [[0; 3]; 3];
        for score in scores {
            decider = Some(score.decider);
            let count: usize = score.confusion.iter().flatten().sum();
            #[allow(clippy::cast_precision_loss)] // decisions
            let weight = count as f64;
            decisions += weight;
            cost += weight * score.mean_cost;
            regret += weight * score.regret;
            for (sum, row) in confusion.iter_mut().zip(score.confusion) {
                for (sum, count) in sum.iter_mut().zip(row) {
                    *sum += count;
                }
            }
        }
        decider.map(|decider| Self {
            decider,
            confusion,
            mean_cost: cost / decisions,
            regret: regret / decisions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(confusion: [[usize; 3]; 3], mean_cost: f64) -> Score {
        Score {
            decider: "model",
            confusion,
            mean_cost,
            regret: 0.0,
        }
    }

    #[test]
    fn precision_and_recall_are_absent_where_undefined() {
        let score = score([[8, 2, 0], [1, 3, 0], [0, 0, 0]], 0.0);
        assert_eq!(
            score.precision_recall(Action::ResetErrors),
            (Some(0.6), Some(0.75))
        );
        assert_eq!(score.precision_recall(Action::RestartService), (None, None));
    }

    #[test]
    fn mean_score_is_weighted_by_decisions() {
        let few = score([[1, 0, 0], [0, 0, 0], [0, 0, 0]], 4.0);
        let many = score([[2, 1, 0], [0, 0, 0], [0, 0, 0]], 0.0);
        let mean = Score::weighted_mean([&few, &many]).unwrap();
        assert_eq!(mean.confusion[0], [3, 1, 0]);
        assert!((mean.mean_cost - 1.0).abs() < f64::EPSILON);
        assert_eq!(Score::weighted_mean([]), None);
    }
}
