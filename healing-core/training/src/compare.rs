//! Deciders side by side, by what their decisions cost.
//!
//! Hazard: who is judged on incidents (or kinds of incidents) that they learned from is praised for
//! their memory. A fold holds out whole situations: nothing of their kind is learned from.

mod report;

pub use report::{Confusions, Table};
use serde::Serialize;

use super::TrainingError;
use super::baselines::{SNAPSHOT, Thresholds, WINDOWED, trend_rule};
use super::calibration::{Calibration, calibration};
use super::evaluate::{Importance, importances};
use super::fit::{Recipe, fit};
use super::simulator::{Situation, Window, dataset};
use healing_core::brain::min_expected_cost;
use healing_core::decision::Action;
use healing_core::features::Feature;
use healing_core::model::forest::Forest;
use healing_core::rng::Rng;

/// One decider's books.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Who.
    pub decider: &'static str,
    /// Decisions by label, then by what was decided.
    pub confusion: [[usize; 3]; 3],
    /// Mean cost of a decision.
    pub mean_cost: f64,
    /// Mean share of requests lost in the next five minutes beyond what the best action loses.
    pub regret: f64,
}

/// What one round of judging gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// All deciders, in the order of [`DECIDERS`].
    pub scores: Vec<Score>,
    /// What the model said of each window that it could judge, and what was right.
    pub said: Vec<([f64; 3], Action)>,
    /// How much of the model's accuracy hangs on each feature, in the learner's order.
    pub importances: Vec<Importance>,
}

/// Which windows a decider was right about, in money.
struct Book {
    decider: &'static str,
    decisions: Vec<Action>,
}

/// The deciders' names, in order.
pub const DECIDERS: [&str; 7] = [
    "always nothing",
    "compiled-in rules",
    "tuned thresholds",
    "tuned windowed thresholds",
    "trend rule",
    "model",
    "rules, model may decline",
];

/// What learns: features and how the forest grows.
#[derive(Debug, Clone)]
pub struct Learner<'a> {
    /// The model's features.
    pub features: &'a [Feature],
    /// How it is grown.
    pub recipe: Recipe,
    /// What wrong decisions cost.
    pub costs: [[f64; 3]; 3],
}

/// Learns from some windows and judges everyone on the others. Where a feature is absent the model
/// does as the compiled-in rules, as in production.
///
/// # Errors
/// Where training fails.
pub fn judge(
    train: &[&Window],
    test: &[&Window],
    learner: &Learner<'_>,
) -> Result<Judgement, TrainingError> {
    let data = dataset(train.iter().copied(), learner.features)?;
    let (forest, _) = fit(&data, &learner.recipe)?;
    let costs = &learner.costs;
    let snapshot = Thresholds::tune(&SNAPSHOT, train, costs);
    let windowed = Thresholds::tune(&WINDOWED, train, costs);
    let probabilities: Vec<Option<[f64; 3]>> = test
        .iter()
        .map(|window| ask(&forest, window, learner.features))
        .collect();
    let of = |decide: &dyn Fn(&Window) -> Action| test.iter().map(|w| decide(w)).collect();
    let model: Vec<Action> = test
        .iter()
        .zip(&probabilities)
        .map(|(window, p)| p.map_or(window.rules, |p| min_expected_cost(p, costs)))
        .collect();
    // What the policy makes of a model that decides: the evidence says what may be done at most.
    let within = |(window, model): (&&Window, &Action)| match model {
        Action::NoAction => Action::NoAction,
        _ => window.rules,
    };
    let within = test.iter().zip(&model).map(within).collect();
    let decisions: [Vec<Action>; 7] = [
        of(&|_| Action::NoAction),
        of(&|window| window.rules),
        of(&|window| snapshot.decide(&window.features)),
        of(&|window| windowed.decide(&window.features)),
        of(&|window| trend_rule(&window.features)),
        model,
        within,
    ];
    let scores = DECIDERS
        .into_iter()
        .zip(decisions)
        .map(|(decider, decisions)| Book { decider, decisions }.score(test, costs))
        .collect();
    let said = probabilities
        .into_iter()
        .zip(test)
        .filter_map(|(p, window)| p.map(|p| (p, window.label)))
        .collect();
    let rows = dataset(test.iter().copied(), learner.features)?;
    let classify = |row: &[f32]| Ok(forest.traverse(row).class());
    let importances = importances(&rows, learner.recipe.seed, classify);
    Ok(Judgement {
        scores,
        said,
        importances: importances.map_err(TrainingError::Columns)?,
    })
}

fn ask(forest: &Forest, window: &Window, features: &[Feature]) -> Option<[f64; 3]> {
    let row: Option<Vec<f32>> = features.iter().map(|f| window.features.get(*f)).collect();
    row.map(|row| forest.traverse(&row).probabilities())
}

impl Book {
    #[allow(clippy::cast_precision_loss)] // decisions
    fn score(&self, test: &[&Window], costs: &[[f64; 3]; 3]) -> Score {
        let mut confusion = [[0; 3]; 3];
        let (mut cost, mut regret) = (0.0, 0.0);
        for (decision, window) in self.decisions.iter().zip(test) {
            let (right, decided) = (window.label as usize, *decision as usize);
            confusion[right][decided] += 1;
            cost += costs[right][decided];
            let least = window.damage.iter().copied().fold(f64::INFINITY, f64::min);
            regret += window.damage[decided] - least;
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
    /// Of those decided so, the share that was right; of those that were right, the share decided so.
    #[must_use]
    pub fn precision_recall(&self, action: Action) -> (Option<f64>, Option<f64>) {
        let class = action as usize;
        let hit = self.confusion[class][class];
        let decided: usize = self.confusion.iter().map(|row| row[class]).sum();
        let right: usize = self.confusion[class].iter().sum();
        #[allow(clippy::cast_precision_loss)] // decisions
        let share = |whole: usize| (whole > 0).then(|| hit as f64 / whole as f64);
        (share(decided), share(right))
    }
}

/// Situations dealt into `folds` hands by the seed, like with like (by what mostly helps), so that
/// each hand holds something of each sort and none holds all of one.
#[must_use]
pub fn folds(windows: &[Window], folds: usize, seed: u64) -> Vec<Vec<Situation>> {
    let mut sorted: [Vec<Situation>; 3] = Default::default();
    for situation in Situation::ALL {
        let mut counts = [0_usize; 3];
        for window in windows
            .iter()
            .filter(|w| w.situation == situation && w.begun)
        {
            counts[window.label as usize] += 1;
        }
        // A treatment that helps in a quarter of the windows is what the situation is about.
        let all: usize = counts.iter().sum();
        let about = [2, 1]
            .into_iter()
            .find(|class| 4 * counts[*class] > all)
            .unwrap_or(0);
        sorted[about].push(situation);
    }
    let mut hands = vec![Vec::new(); folds.max(1)];
    let mut next = 0;
    for (index, mut sort) in (0..).zip(sorted) {
        Rng::new(seed).part(10 + index).shuffle(&mut sort);
        for situation in sort {
            let hand = next % hands.len();
            hands[hand].push(situation);
            next += 1;
        }
    }
    hands
}

impl Judgement {
    /// How the model's probabilities held, over all rounds.
    #[must_use]
    pub fn calibration(rounds: &[Self]) -> Calibration {
        calibration(rounds.iter().flat_map(|round| round.said.iter().copied()))
    }

    /// Mean importances over the rounds, largest first.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // rounds
    pub fn importances(rounds: &[Self]) -> Vec<Importance> {
        let mut mean = rounds
            .first()
            .map_or_else(Vec::new, |first| first.importances.clone());
        for (at, importance) in mean.iter_mut().enumerate() {
            let lost = rounds
                .iter()
                .map(|round| round.importances[at].accuracy_lost);
            importance.accuracy_lost = lost.sum::<f64>() / rounds.len() as f64;
        }
        mean.sort_by(|a, b| b.accuracy_lost.total_cmp(&a.accuracy_lost));
        mean
    }

    /// Adds up rounds over different windows, weighing each by its decisions.
    #[must_use]
    pub fn sum(rounds: &[Self]) -> Vec<Score> {
        let Some(first) = rounds.first() else {
            return Vec::new();
        };
        let mut total = first.scores.clone();
        for (at, score) in total.iter_mut().enumerate() {
            let mut decisions = 0.0;
            let (mut cost, mut regret) = (0.0, 0.0);
            let mut confusion = [[0; 3]; 3];
            for round in rounds {
                let one = &round.scores[at];
                let count: usize = one.confusion.iter().flatten().sum();
                #[allow(clippy::cast_precision_loss)] // decisions
                let weight = count as f64;
                decisions += weight;
                cost += weight * one.mean_cost;
                regret += weight * one.regret;
                for (sum, row) in confusion.iter_mut().zip(one.confusion) {
                    for (sum, count) in sum.iter_mut().zip(row) {
                        *sum += count;
                    }
                }
            }
            *score = Score {
                decider: score.decider,
                confusion,
                mean_cost: cost / decisions,
                regret: regret / decisions,
            };
        }
        total
    }
}
