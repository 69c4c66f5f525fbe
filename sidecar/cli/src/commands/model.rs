//! `healing model inspect|verify`: content and validity of a model file.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use healing_core::model::{Header, Model};
use healing_sidecar::model_file::read_model;

use super::error::CommandError;
use super::print;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Show the header: features with their trained ranges, size and provenance.
    Inspect {
        /// The model file.
        file: PathBuf,
    },
    /// Verify checksum, structure and self-check. Exit 1 and name the error if one is invalid.
    Verify {
        /// The model file.
        file: PathBuf,
    },
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CommandError> {
    match &args.command {
        ModelCommand::Inspect { file } => print(&describe(read(file)?.header())),
        ModelCommand::Verify { file } => {
            let model = read(file)?;
            let header = model.header();
            print(&format!(
                "{}: {} is valid: {} trees, {} nodes, {} rows of self-check passed\n",
                file.display(),
                header.name,
                header.trees,
                header.nodes,
                header.self_check_rows,
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads and verifies a model file. An error names the file.
pub(super) fn read(path: &Path) -> Result<Model, CommandError> {
    read_model(path).map_err(|error| CommandError::Model(path.to_owned(), error))
}

fn describe(header: &Header) -> String {
    let origin = &header.provenance;
    let mut text = String::new();
    let _ = writeln!(text, "name        {}", header.name);
    let _ = writeln!(text, "classes     {}", header.classes.join(", "));
    let _ = writeln!(
        text,
        "size        {} trees, {} nodes",
        header.trees, header.nodes
    );
    let _ = writeln!(text, "learner     {}", origin.learner);
    let _ = writeln!(text, "data        {}", origin.data);
    let _ = writeln!(
        text,
        "            {} rows, hash {}, seed {}, leaves of at least {}, depth at most {}",
        origin.rows, origin.data_hash, origin.seed, origin.min_leaf, origin.max_depth
    );
    for (name, score) in &origin.scores {
        let _ = writeln!(text, "score       {name} {score}");
    }
    for feature in &header.features {
        let _ = writeln!(
            text,
            "feature     {:24} {} to {}",
            feature.name, feature.min, feature.max
        );
    }
    text
}
