//! A data set from comma-separated values.
//!
//! The first line names the columns; see [`read`](super::read) for their meaning. A cell may stand
//! in double quotes (a quote in it is doubled) but not go over several lines. Blank lines are
//! skipped; spaces around numbers do not matter.

use std::borrow::Cow;
use std::io::BufRead;

use super::dataset::Dataset;
use super::read::{Cell, Columns, Limits, Lines, Place, ReadError, Role};

/// Reads a data set.
///
/// # Errors
/// The first thing that is wrong, with its line and field.
///
/// ```
/// use healing_training::{read::Limits, read_csv::read_csv};
///
/// let text = "error_ratio_fast,runtime_lag,label\n0.0,0.01,no_action\n0.4,?,reset_errors\n";
/// let error = read_csv(text.as_bytes(), Limits::default()).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "line 3, field 2 (`runtime_lag`): `?` is no finite number; write one like 12.5"
/// );
/// ```
pub fn read_csv(input: impl BufRead, limits: Limits) -> Result<Dataset, ReadError> {
    let mut lines = Lines::new(input, limits);
    let mut columns = Columns::default();
    let Some((line, text)) = lines.next()? else {
        return Err(ReadError {
            line: 0,
            place: Place::Line,
            message: "the text is empty; its first line names the columns".to_owned(),
        });
    };
    let mut rest = Some(text);
    while let Some(text) = rest {
        let number = columns.len() + 1;
        let (name, after) = cell(text).map_err(|message| ReadError {
            line,
            place: Place::Field(number, String::new()),
            message,
        })?;
        let name = name.trim();
        columns.push(name, &limits).map_err(|message| ReadError {
            line,
            place: Place::Field(number, name.to_owned()),
            message,
        })?;
        rest = after;
    }
    columns.check().map_err(|message| ReadError {
        line,
        place: Place::Line,
        message,
    })?;

    let mut rows = columns.rows(limits);
    while let Some((line, text)) = lines.next()? {
        let mut rest = Some(text);
        let mut count = 0;
        while let Some(text) = rest {
            let column = columns.get(count);
            let fault = |message: String| ReadError {
                line,
                place: Place::Field(count + 1, column.map_or("", |(name, _)| name).to_owned()),
                message,
            };
            let (content, after) = cell(text).map_err(fault)?;
            let Some((_, role)) = column else {
                let expected = columns.len();
                return Err(fault(format!(
                    "a field too many; the first line names {expected}"
                )));
            };
            let content = if role == Role::Group {
                &*content
            } else {
                content.trim()
            };
            rows.cell(role, Cell::Text(content)).map_err(fault)?;
            rest = after;
            count += 1;
        }
        let whole = |message| ReadError {
            line,
            place: Place::Line,
            message,
        };
        if count < columns.len() {
            let expected = columns.len();
            return Err(whole(format!(
                "{count} fields; the first line names {expected}"
            )));
        }
        rows.end_row().map_err(whole)?;
    }
    Ok(rows.finish())
}

/// The first cell, and what follows its comma.
fn cell(text: &str) -> Result<(Cow<'_, str>, Option<&str>), String> {
    let Some(mut quoted) = text.strip_prefix('"') else {
        return Ok(match text.split_once(',') {
            Some((cell, after)) => (cell.into(), Some(after)),
            None => (text.into(), None),
        });
    };
    let mut content = String::new();
    loop {
        let Some((part, after)) = quoted.split_once('"') else {
            return Err("the quote is not closed in this line".to_owned());
        };
        content.push_str(part);
        match after.chars().next() {
            Some('"') => {
                content.push('"');
                quoted = &after[1..];
            }
            Some(',') => return Ok((content.into(), Some(&after[1..]))),
            None => return Ok((content.into(), None)),
            Some(other) => {
                return Err(format!(
                    "`{}` after the closing quote; a comma or the line's end belongs there",
                    other.escape_debug()
                ));
            }
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
    fn rows_are_read_in_the_order_of_time() {
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
    fn every_fault_is_named_with_its_place() {
        let long = format!("a,label\n{}", "1".repeat(70_000));
        for (text, message) in [
            ("", "the text is empty; its first line names the columns"),
            (
                "a,b\n",
                "line 1: there is no `label`; name the right action of each row",
            ),
            (
                "label\n",
                "line 1: there is no feature; name at least one beside `label`",
            ),
            (
                "a,a,label\n",
                "line 1, field 2 (`a`): `a` a second time; a name stands once",
            ),
            (
                "a,,label\n",
                "line 1, field 2 (``): a column without a name; name the feature",
            ),
            ("a,label\n1\n", "line 2: 1 fields; the first line names 2"),
            (
                "a,label\n1,0,3\n",
                "line 2, field 3 (``): a field too many; the first line names 2",
            ),
            (
                "a,label\n1,0\nNaN,0\n",
                "line 3, field 1 (`a`): `NaN` is no finite number; write one like 12.5",
            ),
            (
                "a,label\n,0\n",
                "line 2, field 1 (`a`): empty; every row needs every figure: leave out the row or the column",
            ),
            (
                "a,label\n1e39,0\n",
                "line 2, field 1 (`a`): 1e39 is beyond ±3.4e38",
            ),
            (
                "a,label\n1,heal\n",
                "line 2, field 2 (`label`): `heal` is no label; write no_action, reset_errors or restart_service (or 0, 1, 2)",
            ),
            (
                "a,label\n\"1,0\n",
                "line 2, field 1 (`a`): the quote is not closed in this line",
            ),
            (
                "a,label\n\"1\"x,0\n",
                "line 2, field 1 (`a`): `x` after the closing quote; a comma or the line's end belongs there",
            ),
            (
                &long,
                "line 2, column 65537: longer than 65536 bytes; a row is one line",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), message);
        }
        let not_text = read_csv(&b"a,label\n1,\xff\n"[..], Limits::default()).unwrap_err();
        assert_eq!(not_text.to_string(), "line 2, column 3: not UTF-8 text");
        let few = Limits {
            rows: 1,
            ..Limits::default()
        };
        let error = read_csv(&b"a,label\n1,0\n1,0\n"[..], few).unwrap_err();
        assert_eq!(error.to_string(), "line 3: more than 1 rows");
    }
}
