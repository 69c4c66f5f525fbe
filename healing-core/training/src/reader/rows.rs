//! Collector of the rows of a data set.

use super::role::Role;
use super::{ErrorKind, Limits};
use crate::dataset::Dataset;
use healing_core::decision::Action;

/// Content of a cell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Number(f64),
    Text(&'a str),
}

/// Collector of rows.
pub(super) struct Rows {
    data: Dataset,
    times: Vec<f64>,
    row: Vec<f32>,
    label: Option<Action>,
    group: String,
    time: Option<f64>,
    limits: Limits,
}

impl Rows {
    /// Returns a collector that adds to an empty data set.
    pub(super) fn new(data: Dataset, limits: Limits) -> Self {
        Self {
            row: vec![0.0; data.features().len()],
            data,
            times: Vec::new(),
            label: None,
            group: String::new(),
            time: None,
            limits,
        }
    }

    /// Adds a cell to the current row.
    pub(super) fn cell(&mut self, role: Role, cell: Cell<'_>) -> Result<(), ErrorKind> {
        match role {
            Role::Feature(at) => self.row[at] = narrow(number(cell)?)?,
            Role::Time => self.time = Some(number(cell)?),
            Role::Label => self.label = Some(label(cell)?),
            Role::Group => {
                self.group.clear();
                match cell {
                    Cell::Text(text) if text.len() > self.limits.name_bytes => {
                        return Err(ErrorKind::GroupTooLong {
                            found: text.len(),
                            limit: self.limits.name_bytes,
                        });
                    }
                    Cell::Text(text) => self.group.push_str(text),
                    Cell::Number(number) => self.group = number.to_string(),
                }
            }
        }
        Ok(())
    }

    /// Finishes the current row, after all its cells have been added.
    pub(super) fn end_row(&mut self) -> Result<(), ErrorKind> {
        if self.data.len() == self.limits.rows {
            return Err(ErrorKind::TooManyRows(self.limits.rows));
        }
        let label = self.label.take().ok_or(ErrorKind::MissingLabel)?;
        self.data.push(&self.row, label, &self.group)?;
        self.times.extend(self.time.take());
        Ok(())
    }

    /// Returns the data set, in order of time if its rows have one.
    pub(super) fn finish(self) -> Dataset {
        if self.times.is_sorted() || self.times.len() != self.data.len() {
            return self.data;
        }
        let mut order: Vec<usize> = (0..self.data.len()).collect();
        order.sort_by(|a, b| self.times[*a].total_cmp(&self.times[*b]));
        self.data.select(&order)
    }
}

/// Parses the finite number in a cell.
fn number(cell: Cell<'_>) -> Result<f64, ErrorKind> {
    let number = match cell {
        Cell::Number(number) => Some(number),
        Cell::Text(text) => text.trim().parse().ok(),
    };
    // Rust parses `inf` and `NaN` too.
    match (number, cell) {
        (Some(number), _) if number.is_finite() => Ok(number),
        (_, Cell::Text("")) => Err(ErrorKind::EmptyCell),
        (_, Cell::Text(text)) => Err(ErrorKind::NotANumber(text.to_owned())),
        (_, Cell::Number(number)) => Err(ErrorKind::NotANumber(number.to_string())),
    }
}

/// Converts a number to f32.
fn narrow(wide: f64) -> Result<f32, ErrorKind> {
    #[allow(clippy::cast_possible_truncation)]
    // numbers that are too large become infinite, which is checked
    let narrow = wide as f32;
    if narrow.is_finite() {
        Ok(narrow)
    } else {
        Err(ErrorKind::OutOfRange(wide))
    }
}

/// Parses the label in a cell, which is a name or a number.
fn label(cell: Cell<'_>) -> Result<Action, ErrorKind> {
    let text = match cell {
        Cell::Text(text) => text.to_owned(),
        Cell::Number(number) => number.to_string(),
    };
    let trimmed = text.trim();
    Action::ALL
        .into_iter()
        .find(|action| trimmed == action.as_str() || trimmed == (*action as u8).to_string())
        .ok_or(ErrorKind::UnknownLabel(text))
}
