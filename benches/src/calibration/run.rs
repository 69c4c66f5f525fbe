//! The command `cargo calibration`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;

use super::args::{Args, Command};
use super::comparison::Comparison;
use super::error::CalibrationError;
use super::plan::{PLANS, UTILISATIONS};
use super::recording::Recording;
use super::{patient, recorder, table};
use crate::{cgroup, descriptors};

/// Result of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Table of both sides, in Markdown.
    pub table: String,
    /// Figures whose tolerance is not met without a known cause, or is met although a deviation is known.
    pub undocumented: Vec<String>,
}

/// Runs the command. The exit code is 0 if each tolerance is met or its deviation is known, 1 if not and after
/// an error, and 2 after wrong usage.
#[must_use]
pub fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Record => record().map(|()| true),
        Command::Compare { write } => print(write),
        Command::Patient(args) => patient::serve(&args).map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo calibration: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the directory of the committed recordings and of their table, `table.md`.
#[must_use]
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/calibration")
}

/// Simulates the committed recordings, and compares both sides.
///
/// # Errors
///
/// Returns an error if a recording cannot be read.
pub fn compare() -> Result<Outcome, CalibrationError> {
    let recordings = Recording::read_all(&directory())?;
    let comparisons: Vec<_> = recordings.iter().map(Comparison::of).collect();
    let undocumented = comparisons.iter().flat_map(Comparison::undocumented);
    Ok(Outcome {
        table: table::table(&comparisons),
        undocumented: undocumented.collect(),
    })
}

/// Prints the comparison. Returns `true` if it is as documented.
fn print(write: bool) -> Result<bool, CalibrationError> {
    let outcome = compare()?;
    print!("{}", outcome.table);
    for figure in &outcome.undocumented {
        eprintln!("cargo calibration: not as documented: {figure}");
    }
    if write {
        let path = directory().join("table.md");
        fs::write(&path, outcome.table).map_err(|error| CalibrationError::File(path, error))?;
    }
    Ok(outcome.undocumented.is_empty())
}

fn record() -> Result<(), CalibrationError> {
    cgroup::sweep();
    if let Err(error) = descriptors::raise_limit() {
        eprintln!("cargo calibration: the limit of file descriptors cannot be raised: {error}");
    }
    tokio::runtime::Runtime::new()?.block_on(record_all())
}

async fn record_all() -> Result<(), CalibrationError> {
    for plan in &PLANS {
        let measured = recorder::measure(plan).await?;
        println!("{}: {measured:?}", plan.name);
        for utilisation in UTILISATIONS {
            let recording = recorder::record(plan, measured, utilisation).await?;
            println!("{}", recording.write(&directory())?.display());
        }
    }
    Ok(())
}
