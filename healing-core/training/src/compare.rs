//! Comparison of deciders by the cost of their decisions.
//!
//! # Hazards
//!
//! - The score of a model on incidents that it was trained on is too good. [`scenario_folds`] hold out
//!   whole scenarios, so that the model is not trained on incidents of their kind.

mod folds;
mod ledger;
mod tables;

pub use folds::scenario_folds;
pub use ledger::Score;
pub use tables::{ConfusionTable, ScoreTable};

use super::TrainingError;
use super::baselines::{SNAPSHOT, Thresholds, WINDOWED, trend_rule};
use super::calibration::{Calibration, calibration};
use super::evaluate::{Importance, importances};
use super::fit::fit;
use super::forest_params::ForestParams;
use super::simulator::{Example, dataset};
use healing_core::decision::Action;
use healing_core::features::Feature;
use healing_core::model::forest::Forest;
use healing_core::policy::min_expected_cost;
use ledger::Ledger;

/// Names of the deciders, in the order of [`Comparison::scores`].
pub const DECIDERS: [&str; 7] = [
    "always nothing",
    "compiled-in rules",
    "tuned thresholds",
    "tuned windowed thresholds",
    "trend rule",
    "model",
    "rules, model may decline",
];

/// Result of one train and test split.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Scores in the order of [`DECIDERS`].
    pub scores: Vec<Score>,
    /// The model's probabilities and the label of each example that it could classify.
    pub predictions: Vec<([f64; 3], Action)>,
    /// Permutation importances of the model, in the order of the learner's features.
    pub importances: Vec<Importance>,
}

/// Features, hyper-parameters and costs of the model under comparison.
#[derive(Debug, Clone)]
pub struct Learner<'a> {
    /// Features of the model.
    pub features: &'a [Feature],
    /// Hyper-parameters of its forest.
    pub params: ForestParams,
    /// Cost of each decision, by label.
    pub costs: [[f64; 3]; 3],
}

/// Trains on the examples in `train` and scores all deciders on those in `test`. If a feature is absent,
/// the model's decision is that of the compiled-in rules; in production the model gets its neutral value.
///
/// # Errors
///
/// If training fails.
pub fn compare(
    train: &[&Example],
    test: &[&Example],
    learner: &Learner<'_>,
) -> Result<Comparison, TrainingError> {
    let data = dataset(train.iter().copied(), learner.features)?;
    let (forest, _) = fit(&data, &learner.params)?;
    let costs = &learner.costs;
    let snapshot = Thresholds::tune(&SNAPSHOT, train, costs);
    let windowed = Thresholds::tune(&WINDOWED, train, costs);
    let probabilities: Vec<Option<[f64; 3]>> = test
        .iter()
        .map(|example| classify(&forest, example, learner.features))
        .collect();
    let by = |decide: &dyn Fn(&Example) -> Action| test.iter().map(|e| decide(e)).collect();
    let model: Vec<Action> = test
        .iter()
        .zip(&probabilities)
        .map(|(example, p)| p.map_or(example.rules, |p| min_expected_cost(p, costs)))
        .collect();
    // As in the policy, where the evidence bounds the model's action.
    let bounded = |(example, model): (&&Example, &Action)| match model {
        Action::NoAction => Action::NoAction,
        _ => example.rules,
    };
    let bounded = test.iter().zip(&model).map(bounded).collect();
    let decisions: [Vec<Action>; 7] = [
        by(&|_| Action::NoAction),
        by(&|example| example.rules),
        by(&|example| snapshot.decide(&example.features)),
        by(&|example| windowed.decide(&example.features)),
        by(&|example| trend_rule(&example.features)),
        model,
        bounded,
    ];
    let scores = DECIDERS
        .into_iter()
        .zip(decisions)
        .map(|(decider, decisions)| Ledger { decider, decisions }.score(test, costs))
        .collect();
    let predictions = probabilities
        .into_iter()
        .zip(test)
        .filter_map(|(p, example)| p.map(|p| (p, example.label)))
        .collect();
    let rows = dataset(test.iter().copied(), learner.features)?;
    let class = |row: &[f32]| Ok(forest.traverse(row).class());
    let importances = importances(&rows, learner.params.seed, class);
    Ok(Comparison {
        scores,
        predictions,
        importances: importances.map_err(TrainingError::Columns)?,
    })
}

/// Returns the forest's probabilities; `None` if a feature is absent.
fn classify(forest: &Forest, example: &Example, features: &[Feature]) -> Option<[f64; 3]> {
    let row: Option<Vec<f32>> = features.iter().map(|f| example.features.get(*f)).collect();
    row.map(|row| forest.traverse(&row).probabilities())
}

impl Comparison {
    /// Returns the calibration of the model's probabilities over all comparisons.
    #[must_use]
    pub fn calibration(comparisons: &[Self]) -> Calibration {
        let predictions = comparisons.iter().flat_map(|one| &one.predictions);
        calibration(predictions.copied())
    }

    /// Returns the mean importances over all comparisons, largest first.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // comparisons
    pub fn importances(comparisons: &[Self]) -> Vec<Importance> {
        let mut mean = comparisons
            .first()
            .map_or_else(Vec::new, |first| first.importances.clone());
        for (at, importance) in mean.iter_mut().enumerate() {
            let lost = comparisons
                .iter()
                .map(|one| one.importances[at].accuracy_lost);
            importance.accuracy_lost = lost.sum::<f64>() / comparisons.len() as f64;
        }
        mean.sort_by(|a, b| b.accuracy_lost.total_cmp(&a.accuracy_lost));
        mean
    }

    /// Returns each decider's score over all comparisons, weighted by their number of decisions.
    #[must_use]
    pub fn scores(comparisons: &[Self]) -> Vec<Score> {
        let deciders = comparisons.first().map_or(0, |first| first.scores.len());
        (0..deciders)
            .filter_map(|at| Score::weighted_mean(comparisons.iter().map(|one| &one.scores[at])))
            .collect()
    }
}
