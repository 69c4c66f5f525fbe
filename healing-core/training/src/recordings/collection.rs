//! Collection: the archives of a folder, with the wanted decision of each run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::archive::Archive;
use super::error::RecordingErrorKind::{Io, Missing};
use super::error::{RecordingError, RecordingErrorKind};
use super::expected::Expected;
use super::recording::Recording;

/// Names of the archives that the repository holds.
const ARCHIVES: [&str; 2] = ["recordings", "transports"];

/// Recordings with their wanted decisions.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    /// Runs, in the order of archives and names.
    pub runs: Vec<Run>,
}

/// Recording with its wanted decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Recording.
    pub recording: Recording,
    /// Its row of the table of wanted decisions.
    pub expected: Expected,
}

// === impl Collection ===

impl Collection {
    /// Reads the recordings of this repository.
    ///
    /// # Errors
    ///
    /// Returns an error if a file is missing or malformed.
    pub fn committed() -> Result<Self, RecordingError> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/recordings");
        Self::open(Path::new(folder))
    }

    /// Reads the archives and `expected.csv` of a folder.
    ///
    /// # Errors
    ///
    /// Returns an error if a file is missing or malformed, or if runs and table do not match.
    pub fn open(folder: &Path) -> Result<Self, RecordingError> {
        let table = folder.join("expected.csv");
        let shown = table.display().to_string();
        let text = fs::read_to_string(&table)
            .map_err(|error| Io(error.to_string(), "a table of wanted decisions").at(&shown, 0))?;
        let rows = Expected::parse_table(&shown, &text)?;
        let archives = ARCHIVES
            .iter()
            .map(|name| Archive::open(&folder.join(format!("{name}.tar.xz"))))
            .collect::<Result<Vec<_>, _>>()?;
        Self::pair(archives, rows, &shown)
    }

    /// Pairs the runs with the rows of the table, each with exactly one.
    fn pair(
        archives: Vec<Archive>,
        rows: Vec<Expected>,
        table: &str,
    ) -> Result<Self, RecordingError> {
        let mut rows: BTreeMap<_, _> = rows
            .into_iter()
            .map(|row| ((row.archive.clone(), row.run.clone()), row))
            .collect();
        let mut runs = Vec::new();
        for recording in archives.into_iter().flat_map(|archive| archive.recordings) {
            let key = (recording.archive.clone(), recording.case.name.clone());
            let expected = rows.remove(&key).ok_or_else(|| {
                let file = format!("{}/{}", key.0, key.1);
                Missing("the row of the table").at(&file, 0)
            })?;
            runs.push(Run {
                recording,
                expected,
            });
        }
        match rows.into_keys().next() {
            None => Ok(Self { runs }),
            Some((archive, run)) => Err(RecordingErrorKind::value(
                format!("{archive}/{run}"),
                "a run of the archives",
            )
            .at(table, 0)),
        }
    }
}
