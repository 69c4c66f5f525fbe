//! Errors of reading a data set: kind and location.

use std::fmt;

use crate::dataset::RowError;
use healing_core::model::forest::MAX_FEATURES;

/// Error of reading a data set.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}{kind}", Prefix(*line, location))]
pub struct ReadError {
    /// Number of the line, from 1; 0 for the text as a whole.
    pub line: usize,
    /// Location in the line.
    pub location: Location,
    /// Kind of the error.
    pub kind: ErrorKind,
}

/// Location in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// The whole line.
    Line,
    /// A byte of the line, from 1.
    Column(usize),
    /// A field of the line, from 1, with its name.
    Field(usize, String),
}

/// Kind of an error. Its message names the expected form.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input cannot be read.
    #[error("cannot be read: {0}")]
    Io(String),
    /// A line exceeds the limit.
    #[error("longer than {0} bytes; a row is one line")]
    LineTooLong(usize),
    /// A line is not UTF-8.
    #[error("not UTF-8 text")]
    NotUtf8,
    /// The CSV text has no line.
    #[error("the text is empty; its first line must name the columns")]
    EmptyCsv,
    /// The JSON text has no line.
    #[error("the text is empty; expected one JSON object per line")]
    EmptyJsonl,
    /// A column name is empty.
    #[error("the column has no name; name the feature")]
    UnnamedColumn,
    /// A column name exceeds the limit.
    #[error("the name has {found} bytes; at most {limit} are allowed")]
    NameTooLong {
        /// Length in bytes.
        found: usize,
        /// Limit in bytes.
        limit: usize,
    },
    /// A name occurs twice in a line.
    #[error("duplicate name `{}`; names must be unique", excerpt(.0))]
    DuplicateName(String),
    /// There are more features than a model can have.
    #[error("more than {MAX_FEATURES} features")]
    TooManyFeatures,
    /// No column is the label.
    #[error("there is no column `label`; it must contain the correct action of each row")]
    NoLabelColumn,
    /// No column is a feature.
    #[error("there is no feature; at least one is needed in addition to `label`")]
    NoFeature,
    /// A row has more fields than there are columns.
    #[error("too many fields; the first line names {0}")]
    TooManyFields(usize),
    /// A row has fewer fields than there are columns.
    #[error("too few fields ({found}); the first line names {expected}")]
    TooFewFields {
        /// Number of fields.
        found: usize,
        /// Number of columns.
        expected: usize,
    },
    /// A quoted cell has no closing quote in its line.
    #[error("the quote is not closed in this line")]
    UnclosedQuote,
    /// A quoted cell is followed by another character than a comma.
    #[error("`{}` after the closing quote; expected a comma or the end of the line", .0.escape_debug())]
    AfterQuote(char),
    /// The line is not a JSON object.
    #[error("{0}; a row is one flat JSON object")]
    Json(String),
    /// A JSON value is neither number nor string.
    #[error("found {0}; expected a number or a string")]
    WrongType(&'static str),
    /// A line has a name that the first line does not have.
    #[error("not in the first line; all lines must have the same names")]
    UnknownName,
    /// A line lacks a name of the first line.
    #[error("`{}` is missing; all lines must have the names of the first", excerpt(.0))]
    MissingName(String),
    /// A cell is empty.
    #[error("empty; every row needs every value: remove the row or the column")]
    EmptyCell,
    /// A cell is not a finite number.
    #[error("`{}` is not a finite number; expected a number such as 12.5", excerpt(.0))]
    NotANumber(String),
    /// A number exceeds the range of f32.
    #[error("{0:e} is beyond ±3.4e38")]
    OutOfRange(f64),
    /// A label is unknown.
    #[error("`{}` is not a label; expected no_action, reset_errors or restart_service (or 0, 1, 2)", excerpt(.0))]
    UnknownLabel(String),
    /// A group exceeds the limit.
    #[error("the group has {found} bytes; at most {limit} are allowed")]
    GroupTooLong {
        /// Length in bytes.
        found: usize,
        /// Limit in bytes.
        limit: usize,
    },
    /// A row has no label.
    #[error("`label` is missing")]
    MissingLabel,
    /// There are more rows than the limit.
    #[error("more than {0} rows")]
    TooManyRows(usize),
    /// The row is invalid.
    #[error(transparent)]
    Row(#[from] RowError),
}

impl ErrorKind {
    /// Returns the error of this kind for a whole line.
    pub(super) fn in_line(self, line: usize) -> ReadError {
        ReadError {
            line,
            location: Location::Line,
            kind: self,
        }
    }

    /// Returns the error of this kind at a byte of a line.
    pub(super) fn at_column(self, line: usize, column: usize) -> ReadError {
        ReadError {
            line,
            location: Location::Column(column),
            kind: self,
        }
    }

    /// Returns the error of this kind in a field of a line.
    pub(super) fn in_field(self, line: usize, number: usize, name: &str) -> ReadError {
        ReadError {
            line,
            location: Location::Field(number, name.to_owned()),
            kind: self,
        }
    }
}

/// Line and location before the message of an error; empty for the text as a whole.
struct Prefix<'a>(usize, &'a Location);

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(line, location) = self;
        if *line == 0 {
            return Ok(());
        }
        write!(f, "line {line}")?;
        match location {
            Location::Line => {}
            Location::Column(column) => write!(f, ", column {column}")?,
            Location::Field(number, name) => write!(f, ", field {number} (`{}`)", excerpt(name))?,
        }
        f.write_str(": ")
    }
}

/// Returns text of the input for a message: escaped, and at most 40 characters.
fn excerpt(text: &str) -> String {
    const MAX_CHARS: usize = 40;
    let mut short: String = text.escape_debug().take(MAX_CHARS).collect();
    if text.escape_debug().nth(MAX_CHARS).is_some() {
        short.push('…');
    }
    short
}
