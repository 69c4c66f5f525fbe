//! `healing evaluate`: quality of a model on labelled data that it was not trained on.

use std::path::PathBuf;
use std::process::ExitCode;

use healing_training::evaluate::evaluate;

use super::error::CommandError;
use super::{data, model, print};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The model file.
    model: PathBuf,
    /// Labelled rows: CSV or JSON lines. Columns that the model does not use are ignored.
    data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CommandError> {
    let model = model::read(&args.model)?;
    let data = data::read_for_model(&args.data, &model)?;
    let report = evaluate(&model, &data, model.header().provenance.seed)?;
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&report)?));
    } else {
        print(&report.to_string());
    }
    Ok(ExitCode::SUCCESS)
}
