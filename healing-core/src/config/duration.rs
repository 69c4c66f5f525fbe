//! Durations as text, such as `30s`.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

/// Formats a duration.
pub(super) fn text(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

/// Serializes a duration as text.
pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*value))
}

/// Deserializes a duration from text.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    parse(&text, "write \"30s\" or \"10min\"")
}

fn parse<E: serde::de::Error>(text: &str, advice: &str) -> Result<Duration, E> {
    humantime::parse_duration(text).map_err(|error| {
        E::custom(format_args!(
            "`{text}` is not a duration ({error}); {advice}"
        ))
    })
}

/// Durations that may be absent, as text such as `30s` or `none`.
pub(super) mod or_none {
    use std::borrow::Cow;
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Text of an absent duration.
    const NONE: &str = "none";

    /// Formats a duration that may be absent.
    pub(in super::super) fn text(value: Option<Duration>) -> String {
        value.map_or_else(|| NONE.to_owned(), super::text)
    }

    /// Serializes a duration that may be absent as text.
    pub(in super::super) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(*value))
    }

    /// Deserializes a duration that may be absent from text.
    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        if text == NONE {
            Ok(None)
        } else {
            super::parse(&text, "write \"30s\", \"10min\" or \"none\"").map(Some)
        }
    }
}
