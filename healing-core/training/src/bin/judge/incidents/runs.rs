//! Simulation and comparison for each seed, in parallel.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::args::Args;
use healing_core::config::PolicyConfig;
use healing_training::TrainingError;
use healing_training::compare::{Comparison, Learner, compare, scenario_folds};
use healing_training::default_model::{self, FEATURES};
use healing_training::simulator::{Example, Scenario, simulate};

/// Number of folds over scenarios.
const FOLDS: usize = 5;

/// Comparisons of one seed, by kind of held-out examples.
pub(crate) struct Run {
    /// A quarter of the incidents held out.
    pub(crate) incidents: Comparison,
    /// The latest quarter of the incidents held out.
    pub(crate) latest: Comparison,
    /// Whole scenarios held out, one comparison for each fold.
    pub(crate) scenarios: Vec<Comparison>,
}

/// Error of the runs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// Training failed.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// A thread panicked.
    #[error("a thread panicked")]
    Panicked,
}

/// Runs all seeds on all cores. Returns their runs in the order of the seeds.
pub(crate) fn run_seeds(args: Args) -> Result<Vec<Run>, RunError> {
    let next = AtomicU32::new(0);
    let worker = || {
        let mut runs = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= args.seeds {
                return runs;
            }
            let seed = u64::from(args.first_seed) + u64::from(index);
            runs.push((index, run_seed(seed, args.incidents)));
            eprintln!("seed {seed} done");
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut runs = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let mut runs = Vec::new();
        for worker in workers {
            runs.extend(worker.join().map_err(|_| RunError::Panicked)?);
        }
        Ok::<_, RunError>(runs)
    })?;
    runs.sort_by_key(|(index, _)| *index);
    runs.into_iter().map(|(_, run)| Ok(run?)).collect()
}

/// Simulates the incidents of one seed and compares all deciders on them.
fn run_seed(seed: u64, incidents: u32) -> Result<Run, TrainingError> {
    let examples = simulate(&Scenario::ALL, incidents, seed);
    let learner = Learner {
        features: &FEATURES,
        params: default_model::forest_params(seed),
        costs: PolicyConfig::default().costs,
    };
    let held_out = |is_test: &dyn Fn(&Example) -> bool| {
        let (test, train): (Vec<&Example>, Vec<&Example>) =
            examples.iter().partition(|example| is_test(example));
        compare(&train, &test, &learner)
    };
    Ok(Run {
        incidents: held_out(&default_model::is_held_out)?,
        latest: held_out(&|example| default_model::is_in_last_quarter(example, &examples))?,
        scenarios: scenario_folds(&examples, FOLDS, seed)
            .iter()
            .map(|fold| held_out(&|example| fold.contains(&example.scenario)))
            .collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_in_order_of_seeds_and_reproducible() {
        let args = |seeds, first_seed| Args {
            seeds,
            incidents: 2,
            first_seed,
        };
        let both = run_seeds(args(2, 7)).unwrap();
        assert_eq!(both.len(), 2);
        assert!(both.iter().all(|run| run.scenarios.len() == FOLDS));
        let second = run_seeds(args(1, 8)).unwrap();
        assert_eq!(both[1].incidents, second[0].incidents);
        assert_eq!(both[1].latest, second[0].latest);
        assert_eq!(both[1].scenarios, second[0].scenarios);
    }
}
