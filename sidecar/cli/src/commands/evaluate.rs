//! `healing evaluate`: how good a model is on labelled data that it has not seen.

use std::path::PathBuf;
use std::process::ExitCode;

use healing_training::evaluate::evaluate;

use super::{data, fail, print};
use healing_sidecar::doctor::brain::read_model;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The model file.
    model: PathBuf,
    /// Rows with labels: CSV or JSON lines. Columns that the model does not look at are ignored.
    data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> ExitCode {
    match report(args) {
        Ok(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Err(problem) => fail(1, problem),
    }
}

fn report(args: &Args) -> Result<String, String> {
    let model = read_model(&args.model)
        .map_err(|problem| format!("{}: {problem}", args.model.display()))?;
    let header = model.header();
    let names: Vec<String> = header.features.iter().map(|f| f.name.clone()).collect();
    let data = data::for_model(&data::read(&args.data)?, &names)?;
    let seed = header.provenance.seed;
    let report = evaluate(&model, &data, seed).map_err(|fault| fault.to_string())?;
    if args.json {
        let json = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
        return Ok(json + "\n");
    }
    Ok(report.to_string())
}
