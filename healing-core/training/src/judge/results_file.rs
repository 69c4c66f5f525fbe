//! Results file: JSON lines, one for each finished episode, to which an interrupted run is resumed.
//!
//! The first line names the build that wrote it. Another build may decide otherwise, so its results are
//! rejected instead of mixed.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::record::EpisodeRecord;
use serde::{Deserialize, Serialize};

/// Version of the format.
const VERSION: u32 = 1;

/// Open results file.
#[derive(Debug)]
pub struct ResultsFile {
    file: File,
    path: PathBuf,
}

/// First line of a results file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    judge_results: u32,
    build: String,
}

/// Error of a results file.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// It cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// A complete line is invalid.
    #[error("{path}: line {line} is not a line of results: {source}")]
    Line {
        /// Path of the file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// Cause.
        source: serde_json::Error,
    },
    /// Another build wrote it.
    #[error("{path}: written by another build of the judge; choose another file")]
    OtherBuild {
        /// Path of the file.
        path: PathBuf,
    },
}

impl ResultsFile {
    /// Opens or creates the file and returns it with the episodes that it holds. An incomplete last line,
    /// which an interrupted run leaves, is removed.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written, is no results file, or was written by another build.
    pub fn open(path: &Path, build: &str) -> Result<(Self, Vec<EpisodeRecord>), ResultsError> {
        let io_error = |source| ResultsError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io_error)?;
        let mut reader = BufReader::new(&file);
        let (mut complete, mut records, mut text) = (0, Vec::new(), String::new());
        let expected = Header {
            judge_results: VERSION,
            build: build.to_owned(),
        };
        let own_header = serde_json::to_string(&expected).unwrap_or_default();
        for line in 1.. {
            text.clear();
            let length = reader.read_line(&mut text).map_err(io_error)?;
            let is_complete = text.ends_with('\n');
            // The first line of another file is kept, even without an end of line.
            if !is_complete && (line > 1 || own_header.starts_with(&text)) {
                break;
            }
            complete += length as u64;
            let line_error = |source| ResultsError::Line {
                path: path.to_owned(),
                line,
                source,
            };
            if line > 1 {
                records.push(serde_json::from_str(&text).map_err(line_error)?);
            } else if serde_json::from_str::<Header>(&text).map_err(line_error)? != expected {
                let path = path.to_owned();
                return Err(ResultsError::OtherBuild { path });
            }
        }
        file.set_len(complete).map_err(io_error)?;
        file.seek(SeekFrom::Start(complete)).map_err(io_error)?;
        let mut results = Self {
            file,
            path: path.to_owned(),
        };
        if complete == 0 {
            results.write_lines(&[expected])?;
        }
        Ok((results, records))
    }

    /// Appends finished episodes.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn append(&mut self, records: &[EpisodeRecord]) -> Result<(), ResultsError> {
        self.write_lines(records)
    }

    fn write_lines<T: Serialize>(&mut self, values: &[T]) -> Result<(), ResultsError> {
        let mut lines = Vec::new();
        let written = values
            .iter()
            .try_for_each(|value| {
                serde_json::to_writer(&mut lines, value)?;
                lines.write_all(b"\n")
            })
            .and_then(|()| self.file.write_all(&lines));
        written.map_err(|source| ResultsError::Io {
            path: self.path.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;

    /// Path in the temporary folder that is removed with the value.
    struct TempPath(PathBuf);

    impl TempPath {
        fn new(name: &str) -> Self {
            let name = format!("healing-judge-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for TempPath {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn results_survive_reopening() {
        let path = TempPath::new("reopen");
        let (mut file, records) = ResultsFile::open(&path.0, "a").unwrap();
        assert!(records.is_empty());
        file.append(&[record("p", 1, "rules"), record("p", 2, "rules")])
            .unwrap();
        let (mut file, records) = ResultsFile::open(&path.0, "a").unwrap();
        assert_eq!(records.len(), 2);
        file.append(&[record("p", 3, "rules")]).unwrap();
        let (_, records) = ResultsFile::open(&path.0, "a").unwrap();
        assert_eq!(records[2], record("p", 3, "rules"));
    }

    #[test]
    fn incomplete_last_line_is_removed() {
        let path = TempPath::new("incomplete");
        let (mut file, _) = ResultsFile::open(&path.0, "a").unwrap();
        file.append(&[record("p", 1, "rules")]).unwrap();
        let whole = std::fs::read(&path.0).unwrap();
        std::fs::write(&path.0, [&whole[..], br#"{"population":"p"#].concat()).unwrap();
        let (mut file, records) = ResultsFile::open(&path.0, "a").unwrap();
        assert_eq!(records.len(), 1);
        file.append(&[record("p", 2, "rules")]).unwrap();
        assert_eq!(ResultsFile::open(&path.0, "a").unwrap().1.len(), 2);
    }

    #[test]
    fn results_of_another_build_are_rejected() {
        let path = TempPath::new("build");
        drop(ResultsFile::open(&path.0, "a").unwrap());
        let error = ResultsFile::open(&path.0, "b").unwrap_err();
        assert!(error.to_string().contains("another build"), "{error}");
    }

    #[test]
    fn other_files_are_rejected_and_kept() {
        let path = TempPath::new("other");
        std::fs::write(&path.0, "# notes\n").unwrap();
        let error = ResultsFile::open(&path.0, "a").unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
        assert_eq!(std::fs::read(&path.0).unwrap(), b"# notes\n");
        std::fs::write(&path.0, "notes without an end of line").unwrap();
        assert!(ResultsFile::open(&path.0, "a").is_err());
        assert!(!std::fs::read(&path.0).unwrap().is_empty());
    }
}
