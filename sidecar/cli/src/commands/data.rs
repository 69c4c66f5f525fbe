//! Labelled data from a file: CSV, or JSON lines if its first character is a brace.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use healing_training::dataset::Dataset;
use healing_training::read::Limits;
use healing_training::read_csv::read_csv;
use healing_training::read_jsonl::read_jsonl;

/// The rows, or what is wrong and in which line.
pub(super) fn read(path: &Path) -> Result<Dataset, String> {
    let name = path.display();
    let unreadable = |error| format!("{name}: {error}");
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    let start = file.fill_buf().map_err(unreadable)?;
    let is_json = start.trim_ascii_start().first() == Some(&b'{');
    let data = if is_json {
        read_jsonl(file, Limits::default())
    } else {
        read_csv(file, Limits::default())
    };
    let data = data.map_err(|error| format!("{name}: {error}"))?;
    if data.is_empty() {
        return Err(format!("{name}: there are no rows"));
    }
    Ok(data)
}

/// The columns that a model looks at, in its order.
pub(super) fn for_model(data: &Dataset, features: &[String]) -> Result<Dataset, String> {
    data.columns(features)
        .map_err(|missing| format!("the data have no column `{missing}`, which the model looks at"))
}
