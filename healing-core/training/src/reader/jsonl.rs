//! Data sets from JSON lines, with one flat object per line.
//!
//! `{"error_ratio_fast":0.4,"runtime_lag":0.01,"label":"reset_errors","group":"cache-17"}` is an
//! example. The names in the first line are the columns (see [the module](super) for their meaning). Later
//! lines must have the same names, in any order.

use std::fmt;
use std::io::BufRead;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::columns::Columns;
use super::lines::LineReader;
use super::rows::{Cell, Rows};
use super::{ErrorKind, Limits, ReadError};
use crate::dataset::Dataset;

/// Reads a data set from JSON lines.
///
/// # Errors
///
/// The first error, with its line and field (or, for invalid JSON, its column).
pub fn read_jsonl(input: impl BufRead, limits: Limits) -> Result<Dataset, ReadError> {
    let mut lines = LineReader::new(input, limits);
    let mut collector: Option<(Columns, Rows)> = None;
    // The last line in which each column occurred, to detect duplicate and missing names.
    let mut last_lines = Vec::new();
    while let Some((line, text)) = lines.next()? {
        let Object(fields) = serde_json::from_str(text).map_err(|error| {
            ErrorKind::Json(without_position(&error)).at_column(line, error.column().max(1))
        })?;
        let (columns, rows) = match &mut collector {
            Some(collector) => collector,
            None => {
                let columns = read_columns(line, &fields, &limits)?;
                last_lines = vec![0; columns.len()];
                let rows = columns.rows(limits);
                collector.insert((columns, rows))
            }
        };
        read_row(line, &fields, columns, rows, &mut last_lines)?;
    }
    match collector {
        Some((_, rows)) => Ok(rows.finish()),
        None => Err(ErrorKind::EmptyJsonl.in_line(0)),
    }
}

/// Reads the columns from the names of the first line.
fn read_columns(
    line: usize,
    fields: &[(String, Value)],
    limits: &Limits,
) -> Result<Columns, ReadError> {
    let mut columns = Columns::default();
    for (number, (name, _)) in (1..).zip(fields) {
        columns
            .push(name, limits)
            .map_err(|kind| kind.in_field(line, number, name))?;
    }
    columns.check().map_err(|kind| kind.in_line(line))?;
    Ok(columns)
}

/// Reads one row.
fn read_row(
    line: usize,
    fields: &[(String, Value)],
    columns: &Columns,
    rows: &mut Rows,
    last_lines: &mut [usize],
) -> Result<(), ReadError> {
    for (index, (name, value)) in fields.iter().enumerate() {
        let in_field = |kind: ErrorKind| kind.in_field(line, index + 1, name);
        let Some((at, role)) = columns.find(name, index) else {
            return Err(in_field(ErrorKind::UnknownName));
        };
        if std::mem::replace(&mut last_lines[at], line) == line {
            return Err(in_field(ErrorKind::DuplicateName(name.clone())));
        }
        let cell = match value {
            Value::Number(number) => Cell::Number(*number),
            Value::Text(text) => Cell::Text(text),
            Value::Other(kind) => return Err(in_field(ErrorKind::WrongType(kind))),
        };
        rows.cell(role, cell).map_err(in_field)?;
    }
    if let Some(missing) = last_lines.iter().position(|last| *last != line) {
        let name = columns.get(missing).map_or("", |(name, _)| name);
        return Err(ErrorKind::MissingName(name.to_owned()).in_line(line));
    }
    rows.end_row().map_err(|kind| kind.in_line(line))
}

/// Returns serde_json's message without its own position, which is relative to the line.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ")
        .map_or(text.as_str(), |(message, _)| message)
        .to_owned()
}

/// Fields of an object in their order, including duplicates.
struct Object(Vec<(String, Value)>);

/// Value of a field.
enum Value {
    Number(f64),
    Text(String),
    /// Any other value, with the name of its kind.
    Other(&'static str),
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        #[allow(clippy::cast_precision_loss)] // values become f32
        impl<'de> Visitor<'de> for Any {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a string")
            }
            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Number(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(Value::Number(value as f64))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Number(value as f64))
            }
            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(Value::Text(value.to_owned()))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
                Ok(Value::Other("true or false"))
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Other("null"))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Value::Other("a list"))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Value::Other("an object"))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use healing_core::decision::Action;

    fn read(text: &str) -> Result<Dataset, ReadError> {
        read_jsonl(text.as_bytes(), Limits::default())
    }

    #[test]
    fn jsonl_names_may_be_in_any_order() {
        let data = read(
            "{\"a\":1,\"label\":\"no_action\",\"b\":-2.5,\"time\":7}\n\n\
             {\"time\":3,\"b\":0.1,\"label\":1,\"a\":1e3}\n",
        )
        .unwrap();
        assert_eq!(data.features(), ["a", "b"]);
        assert_eq!(data.row(0), [1000.0, 0.1]);
        assert_eq!(data.row(1), [1.0, -2.5]);
        assert_eq!(data.labels(), [Action::ResetErrors, Action::NoAction]);
    }

    #[test]
    fn jsonl_error_is_reported_with_its_location() {
        let good = "{\"a\":1,\"label\":0}\n";
        for (text, message) in [
            ("", "the text is empty; expected one JSON object per line"),
            (
                "[1]",
                "line 1, column 1: invalid type: sequence, expected a JSON object; a row is one flat JSON object",
            ),
            (
                "{\"a\":1,",
                "line 1, column 7: EOF while parsing a value; a row is one flat JSON object",
            ),
            (
                "{\"a\":1}",
                "line 1: there is no column `label`; it must contain the correct action of each row",
            ),
            (
                "{\"a\":1,\"a\":2,\"label\":0}",
                "line 1, field 2 (`a`): duplicate name `a`; names must be unique",
            ),
            (
                "@{\"a\":null,\"label\":0}",
                "line 2, field 1 (`a`): found null; expected a number or a string",
            ),
            (
                "@{\"a\":[1],\"label\":0}",
                "line 2, field 1 (`a`): found a list; expected a number or a string",
            ),
            (
                "@{\"label\":0}",
                "line 2: `a` is missing; all lines must have the names of the first",
            ),
            (
                "@{\"a\":1,\"a\":1,\"label\":0}",
                "line 2, field 2 (`a`): duplicate name `a`; names must be unique",
            ),
            (
                "@{\"a\":1,\"label\":0,\"b\":1}",
                "line 2, field 3 (`b`): not in the first line; all lines must have the same names",
            ),
            (
                "@{\"a\":1,\"label\":3}",
                "line 2, field 2 (`label`): `3` is not a label; expected no_action, reset_errors or restart_service (or 0, 1, 2)",
            ),
            (
                "@{\"a\":1e999,\"label\":3}",
                "line 2, column 10: number out of range; a row is one flat JSON object",
            ),
        ] {
            let text = text.replacen('@', good, 1);
            assert_eq!(read(&text).unwrap_err().to_string(), message);
        }
    }
}
