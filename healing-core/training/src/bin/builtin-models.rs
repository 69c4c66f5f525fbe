//! Trains the built-in models and writes them to `healing-core/models/`.
//!
//! `cargo run --release -p healing-training --bin builtin-models`

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use healing_core::model::Model;
use healing_training::default_model::{self, default_model};
use healing_training::{builtin, synthetic};

fn main() -> Result<(), Box<dyn Error>> {
    let (model, report) = builtin::original_five(synthetic::SEED)?;
    write(&model, &report)?;
    let (model, report) = default_model(default_model::INCIDENTS, default_model::SEED)?;
    write(&model, &report)
}

/// Writes the model file atomically, by a temporary file and a rename, and prints the report.
fn write(model: &Model, report: &dyn std::fmt::Display) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let path = folder.join(format!("{}.model", model.header().name));
    let temporary = path.with_extension("tmp");
    let bytes = model.to_bytes();
    let mut file = File::create(&temporary)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, &path)?;
    println!("{} ({} bytes)\n\n{report}", path.display(), bytes.len());
    Ok(())
}
