//! `healing train`: a model trained on data, and evaluated on rows that were held out.
//!
//! The last fifth of a file in time is held out (rows of one group together), because a model is
//! applied to later data. A grid search on the rest selects leaf size and depth by the quality of
//! the probabilities.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use healing_core::model::Model;
use healing_sidecar::files;
use healing_training::TrainingError;
use healing_training::builtin::train_and_evaluate;
use healing_training::dataset::Dataset;
use healing_training::evaluate::Report;
use healing_training::forest_params::ForestParams;
use healing_training::grid_search::grid_search;
use healing_training::splits::{by_time, train_test_split};
use healing_training::synthetic;

use super::error::CommandError;
use super::{data, print};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Train on the original system's synthetic generator.
    #[arg(long, required_unless_present = "data", conflicts_with = "data")]
    synthetic: bool,
    /// Train on this file: CSV or JSON lines, with a column `label` and, optionally, `group` (the
    /// incident) and `time`. Tens of thousands of rows take minutes.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Number of rows to generate. A fifth is held out for the evaluation.
    #[arg(long, default_value_t = synthetic::ROWS, value_parser = parse_rows, conflicts_with = "data")]
    rows: usize,
    /// Seed of generator, split and forest.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Model file to write. An existing one is replaced.
    #[arg(long, short, default_value = "healing.model", value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, thiserror::Error)]
#[error("a number from 50 to 1000000 is expected")]
struct InvalidRows;

/// Parses the number of generated rows. Fewer than 50 are too few to train on, and more than a
/// million are rejected as a typing error.
fn parse_rows(text: &str) -> Result<usize, InvalidRows> {
    text.parse()
        .ok()
        .filter(|rows| (50..=1_000_000).contains(rows))
        .ok_or(InvalidRows)
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CommandError> {
    let (model, report) = match &args.data {
        None => train_on_synthetic(args)?,
        Some(path) => train_on_file(&data::read(path)?, path, args.seed)
            .map_err(|error| CommandError::TrainOnFile(path.clone(), error))?,
    };
    let bytes = model.to_bytes();
    files::atomic_write(&args.out, &bytes)
        .map_err(|error| CommandError::Write(args.out.clone(), error))?;
    print(&format!(
        "{report}\nwrote {}: {} trees, {} nodes, {} bytes\n",
        args.out.display(),
        model.header().trees,
        model.header().nodes,
        bytes.len()
    ));
    Ok(ExitCode::SUCCESS)
}

fn train_on_synthetic(args: &Args) -> Result<(Model, Report), TrainingError> {
    let data = synthetic::generate(args.rows, args.seed)?;
    let (train, test) = train_test_split(&data, 0.2, args.seed);
    let params = ForestParams {
        seed: args.seed,
        ..ForestParams::default()
    };
    let description = format!(
        "the original's synthetic generator, {} rows, seed {}",
        args.rows, args.seed
    );
    train_and_evaluate("synthetic", &description, &train, &test, &params)
}

fn train_on_file(data: &Dataset, path: &Path, seed: u64) -> Result<(Model, Report), TrainingError> {
    let split = by_time(data, 0.2);
    let (train, test) = (data.select(&split.train), data.select(&split.test));
    let base = ForestParams {
        prune: true,
        seed,
        ..ForestParams::default()
    };
    let params = grid_search(&train, &base)?.params;
    let description = format!("{}, the last fifth held out", path.display());
    train_and_evaluate("trained", &description, &train, &test, &params)
}
