//! Deciders side by side, by what their decisions cost.
//!
//! Hazard: who is judged on incidents (or kinds of incidents) that they learned from is praised for
//! their memory. A fold holds out whole situations: nothing of their kind is learned from.

use std::fmt;

use serde::Serialize;

use super::TrainingError;
use super::baselines::{SNAPSHOT, Thresholds, WINDOWED, trend_rule};
use super::calibration::{Calibration, calibration};
use super::fit::{Recipe, fit};
use super::rng::Rng;
use super::situations::{Situation, Window, dataset};
use crate::brain::cheapest;
use crate::brain::forest::Forest;
use crate::decision::Action;
use crate::features::Feature;

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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// All deciders: nothing, rules, two kinds of tuned thresholds, the trend rule, the model.
    pub scores: Vec<Score>,
    /// How the model's probabilities held.
    pub calibration: Calibration,
}

/// Which windows a decider was right about, in money.
struct Book {
    decider: &'static str,
    decisions: Vec<Action>,
}

/// The deciders' names, in order.
pub const DECIDERS: [&str; 6] = [
    "always nothing",
    "compiled-in rules",
    "tuned thresholds",
    "tuned windowed thresholds",
    "trend rule",
    "model",
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
    let model = test
        .iter()
        .zip(&probabilities)
        .map(|(window, p)| p.map_or(window.rules, |p| cheapest(p, costs)))
        .collect();
    let decisions: [Vec<Action>; 6] = [
        of(&|_| Action::NoAction),
        of(&|window| window.rules),
        of(&|window| snapshot.decide(&window.features)),
        of(&|window| windowed.decide(&window.features)),
        of(&|window| trend_rule(&window.features)),
        model,
    ];
    let scores = DECIDERS
        .into_iter()
        .zip(decisions)
        .map(|(decider, decisions)| Book { decider, decisions }.score(test, costs))
        .collect();
    let said = probabilities
        .into_iter()
        .zip(test)
        .filter_map(|(p, window)| p.map(|p| (p, window.label)));
    Ok(Judgement {
        scores,
        calibration: calibration(said),
    })
}

fn ask(forest: &Forest, window: &Window, features: &[Feature]) -> Option<[f64; 3]> {
    let row: Option<Vec<f32>> = features.iter().map(|f| window.features.get(*f)).collect();
    row.map(|row| forest.walk(&row).probabilities())
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

/// The scores as a table.
pub struct Table<'a>(pub &'a [Score]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>26} {:>7} {:>8}  {:>13} {:>13} {:>13}  {:>19}",
            "decider",
            "cost",
            "lost %",
            "none p/r",
            "reset p/r",
            "restart p/r",
            "needless/missed restarts"
        )?;
        for score in self.0 {
            write!(
                f,
                "{:>26} {:>7.4} {:>8.3} ",
                score.decider,
                score.mean_cost,
                100.0 * score.regret
            )?;
            for action in Action::ALL {
                let (precision, recall) = score.precision_recall(action);
                let show = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.3}"));
                write!(
                    f,
                    " {:>13}",
                    format!("{}/{}", show(precision), show(recall))
                )?;
            }
            let c = &score.confusion;
            let needless = c[0][2] + c[1][2];
            let missed = c[2][0] + c[2][1];
            writeln!(f, "  {needless:>12}/{missed}")?;
        }
        Ok(())
    }
}
