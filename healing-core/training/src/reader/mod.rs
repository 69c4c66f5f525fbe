//! Data sets from text: [CSV](read_csv) and [JSON lines](read_jsonl).
//!
//! Each line is one row. In addition to the features, three column names have a meaning: `label` (`no_action`,
//! `reset_errors`, `restart_service`, or 0, 1, 2; required), `group` (the incident or scenario of the
//! row) and `time` (a number, by which the rows are sorted for a split by time).
//!
//! # Hazards
//!
//! - The text is untrusted, so everything is bounded before it is stored (see [`Limits`]).
//! - A missing value is an error, and never counts as zero.

mod columns;
mod csv;
mod error;
#[cfg(test)]
mod fuzz;
mod jsonl;
mod lines;
mod role;
mod rows;

pub use csv::read_csv;
pub use error::{ErrorKind, Location, ReadError};
pub use jsonl::read_jsonl;

/// Limits of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum size of a line, in bytes.
    pub line_bytes: usize,
    /// Maximum number of rows.
    pub rows: usize,
    /// Maximum size of a column name or a group, in bytes.
    pub name_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes: 64 << 10,
            rows: 1 << 20,
            name_bytes: 200,
        }
    }
}
