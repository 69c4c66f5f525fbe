//! Judges the default model's recipe beside what it must beat, on simulated situations.
//!
//! `cargo run --release -p healing-core --features train --example judge [SEEDS [INCIDENTS [FIRST_SEED]]]`
//!
//! For each seed fresh situations are drawn and everyone is judged twice: on *incidents* that were
//! held out, and on whole *situations* that were held out (five folds: nothing of their kind is
//! learned from). Costs are means a decision; bounds are 95 % over the seeds.

use std::error::Error;
use std::sync::Mutex;

use healing_core::config::PolicyConfig;
use healing_core::training::TrainingError;
use healing_core::training::default_model::{self, FEATURES};
use healing_core::training::judge::{DECIDERS, Judgement, Learner, Score, Table, folds, judge};
use healing_core::training::situations::{Situation, Window, windows};

const FOLDS: usize = 5;
/// Student's t for 19 degrees of freedom, two-sided 95 %.
const T: f64 = 2.093;

struct Round {
    incidents: Judgement,
    situations: Vec<Judgement>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u32| match arguments.next() {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| format!("`{text}` is no number")),
    };
    let (seeds, incidents, first) = (number(20)?, number(20)?, number(0)?);

    let next = Mutex::new(0);
    let rounds = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = {
                        let Ok(mut next) = next.lock() else { return };
                        if *next == seeds {
                            return;
                        }
                        *next += 1;
                        *next - 1
                    };
                    let result = round((first + seed).into(), incidents);
                    eprintln!("seed {seed} judged");
                    if let Ok(mut rounds) = rounds.lock() {
                        rounds.push((seed, result));
                    }
                }
            });
        }
    });
    let mut rounds = rounds.into_inner().map_err(|_| "a thread panicked")?;
    rounds.sort_by_key(|(seed, _)| *seed);
    let rounds: Vec<Round> = rounds
        .into_iter()
        .map(|(_, round)| round)
        .collect::<Result<_, _>>()?;

    let by_incident: Vec<Vec<Score>> = rounds.iter().map(|r| r.incidents.scores.clone()).collect();
    let by_situation: Vec<Vec<Score>> = rounds
        .iter()
        .map(|r| Judgement::sum(&r.situations))
        .collect();
    let loss: Vec<f64> = rounds
        .iter()
        .map(|r| r.incidents.calibration.log_loss)
        .collect();
    let all: Vec<Judgement> = rounds.iter().map(|r| r.incidents.clone()).collect();
    println!(
        "== incidents held out, {seeds} seeds ==\n{}",
        Table(&Judgement::sum(&all))
    );
    verdict("incidents", &by_incident);
    println!("RESULT judge_incidents_log_loss {:.4} nats\n", mean(&loss));
    let all: Vec<Judgement> = rounds.into_iter().flat_map(|r| r.situations).collect();
    println!(
        "== whole situations held out, {seeds} seeds ==\n{}",
        Table(&Judgement::sum(&all))
    );
    verdict("situations", &by_situation);
    Ok(())
}

fn round(seed: u64, incidents: u32) -> Result<Round, TrainingError> {
    let all = windows(&Situation::ALL, incidents, seed);
    let learner = Learner {
        features: &FEATURES,
        recipe: default_model::recipe(seed),
        costs: PolicyConfig::default().costs,
    };
    let run = |is_test: &dyn Fn(&Window) -> bool| {
        let (test, train): (Vec<&Window>, Vec<&Window>) = all.iter().partition(|w| is_test(w));
        judge(&train, &test, &learner)
    };
    Ok(Round {
        incidents: run(&default_model::is_held_out)?,
        situations: folds(&all, FOLDS, seed)
            .iter()
            .map(|hand| run(&|window| hand.contains(&window.situation)))
            .collect::<Result<_, _>>()?,
    })
}

/// The two questions: is the model a third of the thresholds' cost, is it as good as the trend rule?
fn verdict(held_out: &str, rounds: &[Vec<Score>]) {
    let costs = |name: &str| -> Vec<f64> {
        let at = DECIDERS
            .iter()
            .position(|decider| *decider == name)
            .unwrap_or(0);
        rounds.iter().map(|scores| scores[at].mean_cost).collect()
    };
    let [model, thresholds, trend] = ["model", "tuned thresholds", "trend rule"].map(costs);
    let ratio = mean(&model) / mean(&thresholds);
    let difference: Vec<f64> = model.iter().zip(&trend).map(|(m, t)| m - t).collect();
    let upper = (mean(&difference) + T * standard_error(&difference)) / mean(&trend);
    println!(
        "RESULT judge_{held_out}_model_cost {:.4} cost",
        mean(&model)
    );
    println!(
        "RESULT judge_{held_out}_trend_cost {:.4} cost",
        mean(&trend)
    );
    println!("RESULT judge_{held_out}_model_vs_thresholds {ratio:.3} ratio");
    println!("RESULT judge_{held_out}_model_minus_trend_upper {upper:.3} ratio");
    let reached = ratio <= 1.0 / 3.0 && upper <= 0.05;
    println!(
        "{held_out}: {}\n",
        if reached { "reached" } else { "NOT reached" }
    );
}

#[allow(clippy::cast_precision_loss)] // seeds
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[allow(clippy::cast_precision_loss)] // seeds
fn standard_error(values: &[f64]) -> f64 {
    let (mean, count) = (mean(values), values.len().max(2) as f64);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0) / count).sqrt()
}
