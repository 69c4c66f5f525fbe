//! Data sets from comma-separated values.
//!
//! The first line names the columns; see [the module](super) for their meaning. A cell may be enclosed
//! in double quotes (a quote in it is doubled) but not span lines. Blank lines are skipped; spaces
//! around numbers are ignored.

use std::borrow::Cow;
use std::io::BufRead;

use super::columns::Columns;
use super::lines::LineReader;
use super::role::Role;
use super::rows::{Cell, Rows};
use super::{ErrorKind, Limits, ReadError};
use crate::dataset::Dataset;

/// Reads a data set from CSV.
///
/// # Errors
///
/// The first error, with its line and field.
///
/// ```
/// use healing_training::reader::{Limits, read_csv};
///
/// let text = "error_ratio_fast,runtime_lag,label\n0.0,0.01,no_action\n0.4,?,reset_errors\n";
/// let error = read_csv(text.as_bytes(), Limits::default()).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "line 3, field 2 (`runtime_lag`): `?` is not a finite number; expected a number such as 12.5"
/// );
/// ```
pub fn read_csv(input: impl BufRead, limits: Limits) -> Result<Dataset, ReadError> {
    let mut lines = LineReader::new(input, limits);
    let Some((line, text)) = lines.next()? else {
        return Err(ErrorKind::EmptyCsv.in_line(0));
    };
    let columns = read_columns(line, text, &limits)?;
    let mut rows = columns.rows(limits);
    while let Some((line, text)) = lines.next()? {
        read_row(line, text, &columns, &mut rows)?;
    }
    Ok(rows.finish())
}

/// Reads the columns from the first line.
fn read_columns(line: usize, text: &str, limits: &Limits) -> Result<Columns, ReadError> {
    let mut columns = Columns::default();
    let mut rest = Some(text);
    while let Some(text) = rest {
        let number = columns.len() + 1;
        let (name, after) = split_cell(text).map_err(|kind| kind.in_field(line, number, ""))?;
        let name = name.trim();
        columns
            .push(name, limits)
            .map_err(|kind| kind.in_field(line, number, name))?;
        rest = after;
    }
    columns.check().map_err(|kind| kind.in_line(line))?;
    Ok(columns)
}

/// Reads one row.
fn read_row(line: usize, text: &str, columns: &Columns, rows: &mut Rows) -> Result<(), ReadError> {
    let mut rest = Some(text);
    let mut count = 0;
    while let Some(text) = rest {
        let column = columns.get(count);
        let name = column.map_or("", |(name, _)| name);
        let in_field = |kind: ErrorKind| kind.in_field(line, count + 1, name);
        let (content, after) = split_cell(text).map_err(in_field)?;
        let Some((_, role)) = column else {
            return Err(in_field(ErrorKind::TooManyFields(columns.len())));
        };
        let content = if role == Role::Group {
            &*content
        } else {
            content.trim()
        };
        rows.cell(role, Cell::Text(content)).map_err(in_field)?;
        rest = after;
        count += 1;
    }
    if count < columns.len() {
        let (found, expected) = (count, columns.len());
        return Err(ErrorKind::TooFewFields { found, expected }.in_line(line));
    }
    rows.end_row().map_err(|kind| kind.in_line(line))
}

/// Returns the first cell's content and the text after its comma.
fn split_cell(text: &str) -> Result<(Cow<'_, str>, Option<&str>), ErrorKind> {
    let Some(mut quoted) = text.strip_prefix('"') else {
        return Ok(match text.split_once(',') {
            Some((cell, after)) => (cell.into(), Some(after)),
            None => (text.into(), None),
        });
    };
    let mut content = String::new();
    loop {
        let Some((part, after)) = quoted.split_once('"') else {
            return Err(ErrorKind::UnclosedQuote);
        };
        content.push_str(part);
        match after.chars().next() {
            Some('"') => {
                content.push('"');
                quoted = &after[1..];
            }
            Some(',') => return Ok((content.into(), Some(&after[1..]))),
            None => return Ok((content.into(), None)),
            Some(other) => return Err(ErrorKind::AfterQuote(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use healing_core::decision::Action;

    fn read(text: &str) -> Result<Dataset, ReadError> {
        read_csv(text.as_bytes(), Limits::default())
    }

    #[test]
    fn csv_rows_are_sorted_by_time() {
        let data = read(
            "\u{feff}time,b,label,group,\"a, with \"\"comma\"\"\"\r\n\
             20, 1.5 ,reset_errors,\"outage, big\",-2e3\r\n\r\n\
             10,0,2,x,7\r\n",
        )
        .unwrap();
        assert_eq!(data.features(), ["b", "a, with \"comma\""]);
        assert_eq!(data.row(0), [0.0, 7.0]);
        assert_eq!(data.row(1), [1.5, -2000.0]);
        assert_eq!(data.labels(), [Action::RestartService, Action::ResetErrors]);
        assert_eq!(data.groups(), ["x", "outage, big"]);
    }

    #[test]
    fn csv_error_is_reported_with_its_location() {
        let long = format!("a,label\n{}", "1".repeat(70_000));
        for (text, message) in [
            (
                "",
                "the text is empty; its first line must name the columns",
            ),
            (
                "a,b\n",
                "line 1: there is no column `label`; it must contain the correct action of each row",
            ),
            (
                "label\n",
                "line 1: there is no feature; at least one is needed in addition to `label`",
            ),
            (
                "a,a,label\n",
                "line 1, field 2 (`a`): duplicate name `a`; names must be unique",
            ),
            (
                "a,,label\n",
                "line 1, field 2 (``): the column has no name; name the feature",
            ),
            (
                "a,label\n1\n",
                "line 2: too few fields (1); the first line names 2",
            ),
            (
                "a,label\n1,0,3\n",
                "line 2, field 3 (``): too many fields; the first line names 2",
            ),
            (
                "a,label\n1,0\nNaN,0\n",
                "line 3, field 1 (`a`): `NaN` is not a finite number; expected a number such as 12.5",
            ),
            (
                "a,label\n,0\n",
                "line 2, field 1 (`a`): empty; every row needs every value: remove the row or the column",
            ),
            (
                "a,label\n1e39,0\n",
                "line 2, field 1 (`a`): 1e39 is beyond ±3.4e38",
            ),
            (
                "a,label\n1,heal\n",
                "line 2, field 2 (`label`): `heal` is not a label; expected no_action, reset_errors or restart_service (or 0, 1, 2)",
            ),
            (
                "a,label\n\"1,0\n",
                "line 2, field 1 (`a`): the quote is not closed in this line",
            ),
            (
                "a,label\n\"1\"x,0\n",
                "line 2, field 1 (`a`): `x` after the closing quote; expected a comma or the end of the line",
            ),
            (
                &long,
                "line 2, column 65537: longer than 65536 bytes; a row is one line",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), message);
        }
        let not_utf8 = read_csv(&b"a,label\n1,\xff\n"[..], Limits::default()).unwrap_err();
        assert_eq!(not_utf8.to_string(), "line 2, column 3: not UTF-8 text");
        let one_row = Limits {
            rows: 1,
            ..Limits::default()
        };
        let error = read_csv(&b"a,label\n1,0\n1,0\n"[..], one_row).unwrap_err();
        assert_eq!(error.to_string(), "line 3: more than 1 rows");
    }
}
