//! Data sets from text: what [`read_csv`](super::read_csv) and [`read_jsonl`](super::read_jsonl)
//! share.
//!
//! One row a line. Beside the features there are three names of columns with a meaning: `label`
//! (`no_action`, `reset_errors`, `restart_service`, or 0, 1, 2; required), `group` (the incident or
//! situation that a row belongs to) and `time` (a number: rows are sorted by it, so that a split by
//! time can trust their order).
//!
//! Hazard: the text may be anything, so everything is bounded before it is stored (see [`Limits`]),
//! and a figure that is missing is an error, never a zero.

use std::fmt;
use std::io::{BufRead, Read as _};

use super::dataset::Dataset;
use healing_core::decision::Action;
use healing_core::model::forest::MAX_FEATURES;

/// What may be read at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a line.
    pub line_bytes: usize,
    /// Rows.
    pub rows: usize,
    /// Bytes of a name or a group.
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

/// Where in the text something is wrong, and what.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadError {
    /// The line, from 1; 0 where the text as a whole is meant.
    pub line: usize,
    /// Where in the line.
    pub place: Place,
    /// What was found, and what would be right.
    pub message: String,
}

/// A place in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The line as a whole.
    Line,
    /// This byte of it, from 1.
    Column(usize),
    /// This field of it, from 1, by its name.
    Field(usize, String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}", self.line)?;
            match &self.place {
                Place::Line => {}
                Place::Column(column) => write!(f, ", column {column}")?,
                Place::Field(number, name) => write!(f, ", field {number} (`{}`)", shown(name))?,
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

/// Found text as a message shows it: one line, not endless.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 40;
    let mut short: String = text.escape_debug().take(MOST).collect();
    if text.escape_debug().nth(MOST).is_some() {
        short.push('…');
    }
    short
}

/// Lines of bounded length.
pub(super) struct Lines<R> {
    input: R,
    limits: Limits,
    buffer: Vec<u8>,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R, limits: Limits) -> Self {
        Self {
            input,
            limits,
            buffer: Vec::new(),
            number: 0,
        }
    }

    /// The next line that is not blank, without its end, with its number.
    pub(super) fn next(&mut self) -> Result<Option<(usize, &str)>, ReadError> {
        loop {
            self.buffer.clear();
            self.number += 1;
            let most = self.limits.line_bytes as u64 + 1;
            let line = self.number;
            let error = |place, message| ReadError {
                line,
                place,
                message,
            };
            (&mut self.input)
                .take(most)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|cause| error(Place::Line, format!("cannot be read: {cause}")))?;
            if self.buffer.is_empty() {
                return Ok(None);
            }
            if self.buffer.last() == Some(&b'\n') {
                self.buffer.pop();
            } else if self.buffer.len() as u64 == most {
                let most = self.limits.line_bytes;
                return Err(error(
                    Place::Column(most + 1),
                    format!("longer than {most} bytes; a row is one line"),
                ));
            }
            if self.buffer.last() == Some(&b'\r') {
                self.buffer.pop();
            }
            if self.number == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.buffer.drain(..3);
            }
            if !self.buffer.iter().all(u8::is_ascii_whitespace) {
                break;
            }
        }
        match std::str::from_utf8(&self.buffer) {
            Ok(text) => Ok(Some((self.number, text))),
            Err(cause) => Err(ReadError {
                line: self.number,
                place: Place::Column(cause.valid_up_to() + 1),
                message: "not UTF-8 text".to_owned(),
            }),
        }
    }
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Feature(usize),
    Label,
    Group,
    Time,
}

/// Names with their roles; checks them as they come.
#[derive(Debug, Default)]
pub(super) struct Columns {
    names: Vec<(String, Role)>,
    features: usize,
}

impl Columns {
    /// Adds a column by its name.
    pub(super) fn push(&mut self, name: &str, limits: &Limits) -> Result<(), String> {
        if name.is_empty() {
            return Err("a column without a name; name the feature".to_owned());
        }
        if name.len() > limits.name_bytes {
            let (found, most) = (name.len(), limits.name_bytes);
            return Err(format!("a name of {found} bytes; at most {most}"));
        }
        if self.find(name, 0).is_some() {
            return Err(format!(
                "`{}` a second time; a name stands once",
                shown(name)
            ));
        }
        let role = match name {
            "label" => Role::Label,
            "group" => Role::Group,
            "time" => Role::Time,
            _ if self.features == MAX_FEATURES => {
                return Err(format!("more than {MAX_FEATURES} features"));
            }
            _ => {
                self.features += 1;
                Role::Feature(self.features - 1)
            }
        };
        self.names.push((name.to_owned(), role));
        Ok(())
    }

    /// Whether rows of these columns can be learned from.
    pub(super) fn check(&self) -> Result<(), String> {
        if !self.names.iter().any(|(_, role)| *role == Role::Label) {
            return Err("there is no `label`; name the right action of each row".to_owned());
        }
        if self.features == 0 {
            return Err("there is no feature; name at least one beside `label`".to_owned());
        }
        Ok(())
    }

    /// A column's index and role by its name; looks at `hint` first.
    pub(super) fn find(&self, name: &str, hint: usize) -> Option<(usize, Role)> {
        let at = if self.names.get(hint).is_some_and(|known| known.0 == name) {
            hint
        } else {
            self.names.iter().position(|known| known.0 == name)?
        };
        Some((at, self.names[at].1))
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<(&str, Role)> {
        self.names
            .get(at)
            .map(|(name, role)| (name.as_str(), *role))
    }

    /// An empty data set of these features, in the order of the columns.
    pub(super) fn rows(&self, limits: Limits) -> Rows {
        let names = self.names.iter();
        Rows {
            data: Dataset::new(names.filter_map(|(name, role)| match role {
                Role::Feature(_) => Some(name.clone()),
                _ => None,
            })),
            times: Vec::new(),
            row: vec![0.0; self.features],
            label: None,
            group: String::new(),
            time: None,
            limits,
        }
    }
}

/// A cell's content.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Number(f64),
    Text(&'a str),
}

/// Collects rows.
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
    /// Takes one cell of the row that is being read.
    pub(super) fn cell(&mut self, role: Role, cell: Cell<'_>) -> Result<(), String> {
        match role {
            Role::Feature(at) => self.row[at] = narrow(number(cell)?)?,
            Role::Time => self.time = Some(number(cell)?),
            Role::Label => self.label = Some(label(cell)?),
            Role::Group => {
                self.group.clear();
                match cell {
                    Cell::Text(text) if text.len() > self.limits.name_bytes => {
                        let (found, most) = (text.len(), self.limits.name_bytes);
                        return Err(format!("a group of {found} bytes; at most {most}"));
                    }
                    Cell::Text(text) => self.group.push_str(text),
                    Cell::Number(number) => self.group = number.to_string(),
                }
            }
        }
        Ok(())
    }

    /// Ends a row, all of whose cells have been taken.
    pub(super) fn end_row(&mut self) -> Result<(), String> {
        if self.data.len() == self.limits.rows {
            return Err(format!("more than {} rows", self.limits.rows));
        }
        let label = self.label.take().ok_or("`label` is missing")?;
        self.data
            .push(&self.row, label, &self.group)
            .map_err(|error| error.to_string())?;
        self.times.extend(self.time.take());
        Ok(())
    }

    /// The rows, in the order of time where they have one.
    pub(super) fn finish(self) -> Dataset {
        if self.times.is_sorted() || self.times.len() != self.data.len() {
            return self.data;
        }
        let mut order: Vec<usize> = (0..self.data.len()).collect();
        order.sort_by(|a, b| self.times[*a].total_cmp(&self.times[*b]));
        self.data.select(&order)
    }
}

fn number(cell: Cell<'_>) -> Result<f64, String> {
    let found = match cell {
        Cell::Number(number) => Some(number),
        // Rust also reads `inf` and `NaN`: they are no figures.
        Cell::Text(text) => text.trim().parse().ok(),
    };
    match (found, cell) {
        (Some(number), _) if number.is_finite() => Ok(number),
        (_, Cell::Text("")) => {
            Err("empty; every row needs every figure: leave out the row or the column".to_owned())
        }
        (_, Cell::Text(text)) => Err(format!(
            "`{}` is no finite number; write one like 12.5",
            shown(text)
        )),
        (_, Cell::Number(number)) => Err(format!("{number} is not finite")),
    }
}

fn narrow(wide: f64) -> Result<f32, String> {
    #[allow(clippy::cast_possible_truncation)] // too large becomes infinite: checked
    let narrow = wide as f32;
    if narrow.is_finite() {
        Ok(narrow)
    } else {
        Err(format!("{wide:e} is beyond ±3.4e38"))
    }
}

fn label(cell: Cell<'_>) -> Result<Action, String> {
    let by_text = |text: &str| {
        let text = text.trim();
        Action::ALL
            .into_iter()
            .find(|action| text == action.as_str() || text == (*action as u8).to_string())
    };
    let (found, text) = match cell {
        Cell::Text(text) => (by_text(text), shown(text)),
        Cell::Number(number) => (by_text(&number.to_string()), number.to_string()),
    };
    found.ok_or_else(|| {
        format!(
            "`{text}` is no label; write no_action, reset_errors or restart_service (or 0, 1, 2)"
        )
    })
}
