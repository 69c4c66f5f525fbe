//! `healing model inspect|verify`: what a model file holds, and whether it can be used.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::{fail, print};
use healing_sidecar::doctor::brain::read_model;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Its header: features with their trained ranges, size, where it comes from.
    Inspect {
        /// The model file.
        file: PathBuf,
    },
    /// Checksum, structure and self-check; exit 1 and what is wrong if it cannot be used.
    Verify {
        /// The model file.
        file: PathBuf,
    },
}

pub(super) fn run(args: &Args) -> ExitCode {
    let (What::Inspect { file } | What::Verify { file }) = &args.command;
    let model = match read_model(file) {
        Ok(model) => model,
        Err(problem) => return fail(1, format_args!("{}: {problem}", file.display())),
    };
    let header = model.header();
    if let What::Verify { .. } = args.command {
        print(&format!(
            "{}: {} can be used: {} trees, {} nodes, {} rows of self-check answered as when it was written\n",
            file.display(),
            header.name,
            header.trees,
            header.nodes,
            header.self_check_rows,
        ));
        return ExitCode::SUCCESS;
    }
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
    print(&text);
    ExitCode::SUCCESS
}
