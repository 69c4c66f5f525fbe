//! `healing explain`: why a model votes as it does, in one sentence and by each feature's part.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use healing_core::brain::{Classifier as _, Model};
use healing_core::features::Features;

use super::{data, fail, print};
use healing_sidecar::doctor::brain::read_model;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The model file.
    model: PathBuf,
    /// Figures as JSON, as the journal has them: `{"cpu_usage": 97, "error_count": 12, …}`.
    #[arg(value_parser = figures, required_unless_present = "data", conflicts_with = "data")]
    features: Option<Features>,
    /// Take the figures from this file instead: CSV or JSON lines.
    #[arg(long, requires = "row", value_name = "FILE")]
    data: Option<PathBuf>,
    /// Which of its rows, from 1.
    #[arg(long, requires = "data", value_name = "N")]
    row: Option<usize>,
}

fn figures(json: &str) -> Result<Features, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

pub(super) fn run(args: &Args) -> ExitCode {
    match explain(args) {
        Ok(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Err(problem) => fail(1, problem),
    }
}

fn explain(args: &Args) -> Result<String, String> {
    let model = read_model(&args.model)
        .map_err(|problem| format!("{}: {problem}", args.model.display()))?;
    let features = match &args.features {
        Some(features) => *features,
        None => of_row(args, &model)?,
    };
    let votes = model
        .votes(&features)
        .map_err(|unusable| format!("the model cannot judge this: {unusable}"))?;
    let why = model
        .why(&features, votes.class())
        .map_err(|unusable| unusable.to_string())?;
    let mut text = format!(
        "{why}.\n\n{:>28} {:>14} {:>9}\n",
        "feature", "value", "adds"
    );
    for one in &why.contributions {
        let (name, adds) = (one.feature.name(), 100.0 * one.adds);
        let _ = writeln!(text, "{name:>28} {:>14} {adds:>+7.2} %", one.value);
    }
    let base = 100.0 * why.base;
    let _ = writeln!(
        text,
        "{:>28} {:>14} {base:>7.2} %",
        "before anything is known", ""
    );
    let share = 100.0 * why.share;
    let _ = writeln!(text, "{:>28} {:>14} {share:>7.2} %", "together", "");
    Ok(text)
}

fn of_row(args: &Args, model: &Model) -> Result<Features, String> {
    let (Some(path), Some(number)) = (&args.data, args.row) else {
        return Err("a row of --data is expected".to_owned());
    };
    let header = model.header();
    let names: Vec<String> = header.features.iter().map(|f| f.name.clone()).collect();
    let data = data::for_model(&data::read(path)?, &names)?;
    let row = number
        .checked_sub(1)
        .filter(|index| *index < data.len())
        .map(|index| data.row(index))
        .ok_or_else(|| format!("row {number} is not one of 1 to {}", data.len()))?;
    let figures = row.iter().copied().map(f64::from);
    Ok(model.features().iter().copied().zip(figures).collect())
}
