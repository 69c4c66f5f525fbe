//! `healing train`: a model from data, judged on rows it has not seen.

use std::path::PathBuf;
use std::process::ExitCode;

use healing_core::training::TrainingError;
use healing_core::training::builtin::{split, train_and_judge};
use healing_core::training::evaluate::Report;
use healing_core::training::fit::Recipe;
use healing_core::training::synthetic;

use super::{fail, print};
use crate::files;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Train on the original system's synthetic generator.
    #[arg(long, required = true)]
    synthetic: bool,
    /// Rows to generate; a fifth is held out to judge the model.
    #[arg(long, default_value_t = synthetic::ROWS, value_parser = rows)]
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
    let (model, report) = match train(args) {
        Ok(trained) => trained,
        Err(error) => return fail(1, format_args!("training failed: {error}")),
    };
    let bytes = model.to_bytes();
    if let Err(error) = files::replace(&args.out, &bytes) {
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

fn train(args: &Args) -> Result<(healing_core::brain::Model, Report), TrainingError> {
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
