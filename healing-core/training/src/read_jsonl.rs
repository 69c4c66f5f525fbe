//! A data set from JSON lines: one flat object a line.
//!
//! `{"error_ratio_fast":0.4,"runtime_lag":0.01,"label":"reset_errors","group":"cache-17"}`: the
//! first line's names are the columns, see [`read`](super::read) for their meaning; later lines
//! must have the same names, in any order.

use std::fmt;
use std::io::BufRead;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::dataset::Dataset;
use super::read::{Cell, Columns, Limits, Lines, Place, ReadError, shown};

/// Reads a data set.
///
/// # Errors
/// The first thing that is wrong, with its line and field (where it is no JSON: its column).
pub fn read_jsonl(input: impl BufRead, limits: Limits) -> Result<Dataset, ReadError> {
    let mut lines = Lines::new(input, limits);
    let mut columns = Columns::default();
    let mut rows = None;
    // Which line a column was last seen in: each stands once in a line.
    let mut seen = Vec::new();
    while let Some((line, text)) = lines.next()? {
        let Object(fields) = serde_json::from_str(text).map_err(|cause| ReadError {
            line,
            place: Place::Column(cause.column().max(1)),
            message: syntax(&cause),
        })?;
        let whole = |message| ReadError {
            line,
            place: Place::Line,
            message,
        };
        if rows.is_none() {
            for (number, (name, _)) in fields.iter().enumerate() {
                columns.push(name, &limits).map_err(|message| ReadError {
                    line,
                    place: Place::Field(number + 1, name.clone()),
                    message,
                })?;
            }
            columns.check().map_err(whole)?;
            seen = vec![0; columns.len()];
        }
        let rows = rows.get_or_insert_with(|| columns.rows(limits));
        for (number, (name, value)) in fields.iter().enumerate() {
            let fault = |message| ReadError {
                line,
                place: Place::Field(number + 1, name.clone()),
                message,
            };
            let Some((at, role)) = columns.find(name, number) else {
                let message = "the first line does not have it; every line needs the same names";
                return Err(fault(message.to_owned()));
            };
            if std::mem::replace(&mut seen[at], line) == line {
                return Err(fault("a second time; a name stands once".to_owned()));
            }
            let cell = match value {
                Value::Number(number) => Cell::Number(*number),
                Value::Text(text) => Cell::Text(text),
                Value::Other(what) => {
                    return Err(fault(format!("{what} instead of a number or a word")));
                }
            };
            rows.cell(role, cell).map_err(fault)?;
        }
        if let Some(missing) = seen.iter().position(|last| *last != line) {
            let name = columns.get(missing).map_or("", |(name, _)| name);
            return Err(whole(format!(
                "`{}` is missing; the first line has it, and absent is not zero",
                shown(name)
            )));
        }
        rows.end_row().map_err(whole)?;
    }
    match rows {
        Some(rows) => Ok(rows.finish()),
        None => Err(ReadError {
            line: 0,
            place: Place::Line,
            message: "the text is empty; write one JSON object a line".to_owned(),
        }),
    }
}

/// serde_json's message without its own "at line 1 column n": the place is ours to tell.
fn syntax(cause: &serde_json::Error) -> String {
    let text = cause.to_string();
    let short = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(text, _)| text);
    format!("{short}; write one flat JSON object a line")
}

/// An object's fields in their order, doubled ones included.
struct Object(Vec<(String, Value)>);

enum Value {
    Number(f64),
    Text(String),
    Other(&'static str),
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of names and figures")
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
        #[allow(clippy::cast_precision_loss)] // figures are f32 in the end
        impl<'de> Visitor<'de> for Any {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a word")
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
    fn names_may_come_in_any_order() {
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
    fn every_fault_is_named_with_its_place() {
        let good = "{\"a\":1,\"label\":0}\n";
        for (text, message) in [
            ("", "the text is empty; write one JSON object a line"),
            (
                "[1]",
                "line 1, column 1: invalid type: sequence, expected an object of names and figures; write one flat JSON object a line",
            ),
            (
                "{\"a\":1,",
                "line 1, column 7: EOF while parsing a value; write one flat JSON object a line",
            ),
            (
                "{\"a\":1}",
                "line 1: there is no `label`; name the right action of each row",
            ),
            (
                "{\"a\":1,\"a\":2,\"label\":0}",
                "line 1, field 2 (`a`): `a` a second time; a name stands once",
            ),
            (
                "@{\"a\":null,\"label\":0}",
                "line 2, field 1 (`a`): null instead of a number or a word",
            ),
            (
                "@{\"a\":[1],\"label\":0}",
                "line 2, field 1 (`a`): a list instead of a number or a word",
            ),
            (
                "@{\"label\":0}",
                "line 2: `a` is missing; the first line has it, and absent is not zero",
            ),
            (
                "@{\"a\":1,\"a\":1,\"label\":0}",
                "line 2, field 2 (`a`): a second time; a name stands once",
            ),
            (
                "@{\"a\":1,\"label\":0,\"b\":1}",
                "line 2, field 3 (`b`): the first line does not have it; every line needs the same names",
            ),
            (
                "@{\"a\":1,\"label\":3}",
                "line 2, field 2 (`label`): `3` is no label; write no_action, reset_errors or restart_service (or 0, 1, 2)",
            ),
            (
                "@{\"a\":1e999,\"label\":3}",
                "line 2, column 10: number out of range; write one flat JSON object a line",
            ),
        ] {
            let text = text.replacen('@', good, 1);
            assert_eq!(read(&text).unwrap_err().to_string(), message);
        }
    }
}
