//! Labelled data from a file, which is read as JSON lines if it starts with a brace, otherwise as CSV.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use healing_core::model::Model;
use healing_training::dataset::Dataset;
use healing_training::reader::{Limits, read_csv, read_jsonl};

use super::error::{CommandError, ReadDataError};

/// Reads all rows. An error names the file and the line.
pub(super) fn read(path: &Path) -> Result<Dataset, CommandError> {
    read_rows(path).map_err(|error| CommandError::ReadData(path.to_owned(), error))
}

fn read_rows(path: &Path) -> Result<Dataset, ReadDataError> {
    let mut file = BufReader::new(File::open(path)?);
    let is_json = file.fill_buf()?.trim_ascii_start().first() == Some(&b'{');
    let data = if is_json {
        read_jsonl(file, Limits::default())?
    } else {
        read_csv(file, Limits::default())?
    };
    if data.is_empty() {
        return Err(ReadDataError::Empty);
    }
    Ok(data)
}

/// Reads the columns of the model's features, in the model's order.
pub(super) fn read_for_model(path: &Path, model: &Model) -> Result<Dataset, CommandError> {
    let features = &model.header().features;
    let names: Vec<String> = features
        .iter()
        .map(|feature| feature.name.clone())
        .collect();
    read(path)?
        .columns(&names)
        .map_err(|missing| CommandError::MissingColumn(missing.0))
}
