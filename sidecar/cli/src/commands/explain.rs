//! `healing explain`: the votes of a model, as one sentence and as the contribution of each feature.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use healing_core::features::Features;
use healing_core::model::{Classifier as _, Model};

use super::error::CommandError;
use super::{data, model, print};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The model file.
    model: PathBuf,
    /// Features as JSON, as in the journal: `{"cpu_usage": 97, "error_count": 12, …}`.
    #[arg(value_parser = features_from_json, required_unless_present = "data", conflicts_with = "data")]
    features: Option<Features>,
    /// Take the features from this file: CSV or JSON lines.
    #[arg(long, requires = "row", value_name = "FILE")]
    data: Option<PathBuf>,
    /// Number of the row in that file, from 1.
    #[arg(long, requires = "data", value_name = "N")]
    row: Option<usize>,
}

fn features_from_json(json: &str) -> Result<Features, serde_json::Error> {
    serde_json::from_str(json)
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CommandError> {
    let model = model::read(&args.model)?;
    let features = match &args.features {
        Some(features) => *features,
        None => features_from_row(args, &model)?,
    };
    let votes = model.votes(&features)?;
    let explanation = model.explain(&features, votes.class())?;
    let mut text = format!(
        "{explanation}.\n\n{:>28} {:>14} {:>9}\n",
        "feature", "value", "adds"
    );
    for contribution in &explanation.contributions {
        let (name, adds) = (contribution.feature.name(), 100.0 * contribution.adds);
        let _ = writeln!(text, "{name:>28} {:>14} {adds:>+7.2} %", contribution.value);
    }
    let base = 100.0 * explanation.base;
    let _ = writeln!(text, "{:>28} {:>14} {base:>7.2} %", "base value", "");
    let share = 100.0 * explanation.share;
    let _ = writeln!(text, "{:>28} {:>14} {share:>7.2} %", "vote share", "");
    let record = model.classify(&features).record();
    for (features, remark) in [
        (record.clamped, "clamped to the trained range"),
        (record.absent, "absent, so the value is the neutral one"),
    ] {
        if !features.is_empty() {
            let _ = writeln!(text, "{features}: {remark}");
        }
    }
    print(&text);
    Ok(ExitCode::SUCCESS)
}

fn features_from_row(args: &Args, model: &Model) -> Result<Features, CommandError> {
    let (Some(path), Some(number)) = (&args.data, args.row) else {
        return Err(CommandError::NoRow);
    };
    let data = data::read_for_model(path, model)?;
    let row = number
        .checked_sub(1)
        .filter(|index| *index < data.len())
        .map(|index| data.row(index))
        .ok_or(CommandError::NoSuchRow {
            row: number,
            rows: data.len(),
        })?;
    let values = row.iter().copied().map(f64::from);
    Ok(model.features().iter().copied().zip(values).collect())
}
