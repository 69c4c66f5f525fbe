//! `healing train`: a model from data, judged on rows it has not seen.
//!
//! Of a file the last fifth in time is held out (what belongs to one group together): a model is for
//! what comes next. Leaf size and depth are those whose probabilities are best on the rest.

use std::path::PathBuf;
use std::process::ExitCode;

use healing_core::model::Model;
use healing_training::TrainingError;
use healing_training::builtin::{split, train_and_judge};
use healing_training::dataset::Dataset;
use healing_training::evaluate::Report;
use healing_training::fit::Recipe;
use healing_training::grid_search::choose;
use healing_training::splits::by_time;
use healing_training::synthetic;

use super::{data, fail, print};
use healing_sidecar::files;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Train on the original system's synthetic generator.
    #[arg(long, required_unless_present = "data", conflicts_with = "data")]
    synthetic: bool,
    /// Train on this file: CSV or JSON lines, with a column `label` and, if it has them, `group`
    /// (the incident) and `time`. Tens of thousands of rows take minutes.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Rows to generate; a fifth is held out to judge the model.
    #[arg(long, default_value_t = synthetic::ROWS, value_parser = rows, conflicts_with = "data")]
    rows: usize,
    /// Makes generator, split and forest reproducible.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Where the model is written, in place of what is there.
    #[arg(long, short, default_value = "healing.model", value_name = "FILE")]
    out: PathBuf,
}

/// Fewer teach nothing, more than this is no synthetic set but a mistake.
fn rows(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(rows) if (50..=1_000_000).contains(&rows) => Ok(rows),
        _ => Err("a number from 50 to 1000000 is expected".to_owned()),
    }
}

pub(super) fn run(args: &Args) -> ExitCode {
    let trained = match &args.data {
        None => on_synthetic(args).map_err(|error| format!("training failed: {error}")),
        Some(path) => data::read(path).and_then(|data| {
            on_file(&data, &path.display().to_string(), args.seed)
                .map_err(|error| format!("{}: training failed: {error}", path.display()))
        }),
    };
    let (model, report) = match trained {
        Ok(trained) => trained,
        Err(problem) => return fail(1, problem),
    };
    let bytes = model.to_bytes();
    if let Err(error) = files::atomic_write(&args.out, &bytes) {
        let out = args.out.display();
        return fail(1, format_args!("cannot write {out}: {error}"));
    }
    print(&format!(
        "{report}\nwrote {}: {} trees, {} nodes, {} bytes\n",
        args.out.display(),
        model.header().trees,
        model.header().nodes,
        bytes.len()
    ));
    ExitCode::SUCCESS
}

fn on_synthetic(args: &Args) -> Result<(Model, Report), TrainingError> {
    let data = synthetic::generate(args.rows, args.seed)?;
    let (train, test) = split(&data, 0.2, args.seed);
    let recipe = Recipe {
        seed: args.seed,
        ..Recipe::default()
    };
    let words = format!(
        "the original's synthetic generator, {} rows, seed {}",
        args.rows, args.seed
    );
    train_and_judge("synthetic", &words, &train, &test, &recipe)
}

fn on_file(data: &Dataset, file: &str, seed: u64) -> Result<(Model, Report), TrainingError> {
    let split = by_time(data, 0.2);
    let (train, test) = (data.select(&split.train), data.select(&split.test));
    let base = Recipe {
        prune: true,
        seed,
        ..Recipe::default()
    };
    let recipe = choose(&train, &base)?.recipe;
    let words = format!("{file}, the last fifth held out");
    train_and_judge("trained", &words, &train, &test, &recipe)
}
