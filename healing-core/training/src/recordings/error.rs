//! Errors of reading recordings: file, line and the expected form.

use std::fmt;

/// Error of reading recordings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {kind}", LineNumber(*line))]
pub struct RecordingError {
    /// Path of the file, inside the archive if it is in one.
    pub file: String,
    /// Number of the line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// Kind of the error.
    pub kind: RecordingErrorKind,
}

/// Kind of an error; its text names the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingErrorKind {
    /// The input failed, or is not an xz-compressed tar archive.
    #[error("cannot be read: {0}; expected {1}")]
    Io(String, &'static str),
    /// A size exceeds its limit.
    #[error("more than {limit} {unit}")]
    TooLarge {
        /// Unit of the limit.
        unit: &'static str,
        /// Limit.
        limit: u64,
    },
    /// The JSON is malformed, or not of the expected form.
    #[error("{found}; expected {expected}")]
    Json {
        /// Message of the parser.
        found: String,
        /// Expected form.
        expected: &'static str,
    },
    /// A value is not of the expected form.
    #[error("found `{}`; expected {expected}", excerpt(found))]
    Value {
        /// The value.
        found: String,
        /// Expected form.
        expected: &'static str,
    },
    /// A required part is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A name occurs twice.
    #[error("duplicate `{}`", excerpt(.0))]
    Duplicate(String),
}

impl RecordingErrorKind {
    /// Returns the error of this kind in a line of a file; line 0 is the file as a whole.
    pub(super) fn at(self, file: &str, line: usize) -> RecordingError {
        RecordingError {
            file: file.to_owned(),
            line,
            kind: self,
        }
    }

    /// Returns the kind for a value that is not of the expected form.
    pub(super) fn value(found: impl fmt::Display, expected: &'static str) -> Self {
        Self::Value {
            found: found.to_string(),
            expected,
        }
    }

    /// Returns the kind for an error of the JSON parser.
    pub(super) fn json(error: &serde_json::Error, expected: &'static str) -> Self {
        Self::Json {
            found: error.to_string(),
            expected,
        }
    }
}

/// Number of a line after the name of a file; empty for the file as a whole.
struct LineNumber(usize);

impl fmt::Display for LineNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            line => write!(f, ", line {line}"),
        }
    }
}

/// Returns text of the input for a message: escaped, and at most 40 characters.
fn excerpt(text: &str) -> String {
    text.escape_debug().take(40).collect()
}
