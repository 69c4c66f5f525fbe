//! The judge: compares deciders on episodes in closed loop, `cargo judge`.
//!
//! `cargo judge incidents` compares the default model with its baselines on single decisions, and `cargo judge
//! explain` prints one episode.

mod args;
mod incidents;
mod progress;

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use args::{Args, Command, Explain};
use clap::Parser as _;
use healing_training::judge::explain::explain;
use healing_training::judge::populations;
use healing_training::judge::report::Report;
use healing_training::judge::results_file::ResultsFile;
use healing_training::judge::run::{RunError, Store};
use healing_training::judge::summary::summarise;
use progress::Progress;

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.command {
        Some(Command::Incidents(args)) => incidents::run(*args),
        Some(Command::Explain(args)) => explain_episode(args),
        None => run(&args),
    };
    if let Err(error) = done {
        eprintln!("judge: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Prints one episode.
fn explain_episode(args: &Explain) -> Result<(), Box<dyn Error>> {
    let populations = populations();
    let known = populations
        .iter()
        .find(|known| known.name() == args.population);
    let population = known.ok_or_else(|| RunError::UnknownPopulation {
        name: args.population.clone(),
        known: populations.iter().map(|known| known.name()).collect(),
    })?;
    print!("{}", explain(&**population, args.seed, args.decider));
    Ok(())
}

/// Runs the plan and prints the report.
fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let plan = args.plan(&populations());
    let store = match &args.json {
        None => Store::default(),
        Some(path) => {
            let (file, records) = ResultsFile::open(path, &build()?)?;
            Store::resume(file, records)
        }
    };
    let progress = Progress::new();
    let records = plan.run(&populations, store, &|done, all| progress.show(done, all))?;
    println!(
        "seed {}, {} episodes of each population; costs in failed requests an episode, with 95 % intervals\n",
        plan.seed, plan.episodes
    );
    print!("{}", Report(&summarise(&records)));
    Ok(())
}

/// Returns the identity of this build: a hash (FNV-1a) of the executable.
fn build() -> Result<String, std::io::Error> {
    let bytes = fs::read(std::env::current_exe()?)?;
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    Ok(format!("{hash:016x}"))
}
