//! Compares the default model with its baselines on single decisions: `cargo judge incidents`.
//!
//! For each seed, incidents are simulated and all deciders are scored on three kinds of held-out
//! examples: a quarter of the *incidents*, the *latest* quarter, and whole *scenarios* (five folds: no
//! incident of their kind is learned from). Costs are means of a decision; bounds are 95 % over the seeds.
//! With the defaults, which use as many incidents as the shipped model was trained on, it takes some ten
//! minutes on two cores.

mod args;
mod report;
mod runs;
mod statistics;

use std::error::Error;

pub(crate) use args::Args;
use report::{conclusion, print_report};

/// Runs the comparison and prints it.
pub(crate) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let runs = runs::run_seeds(args)?;
    println!(
        "{} seed(s) from {}, {} incident(s) of each scenario\n",
        args.seeds, args.first_seed, args.incidents
    );
    let incidents: Vec<_> = runs.iter().map(|run| vec![run.incidents.clone()]).collect();
    let latest: Vec<_> = runs.iter().map(|run| vec![run.latest.clone()]).collect();
    let scenarios: Vec<_> = runs.into_iter().map(|run| run.scenarios).collect();
    let met = [
        print_report("incidents", "a quarter of the incidents", &incidents),
        print_report("latest", "the latest quarter of the incidents", &latest),
        print_report("situations", "whole scenarios", &scenarios),
    ];
    println!("{}", conclusion(met));
    Ok(())
}
