//! Reconstruction of a [`Health`] answer from its recorded form.
//!
//! The recorded form is schema 1 without `status`, `windows`, `checks`, `hooks` and `app`, and with
//! `latency.bounds_seconds` in some lines only. `status` follows from `error_count`; the bounds are
//! carried over from the line before. The wire field `oldest_in_flight_seconds` was named
//! `slowest_open_seconds` when the recordings were made. Every other absent field stays absent.

use healing_core::health::{Health, Status};
use serde_json::{Map, Value};

use super::error::RecordingErrorKind;

/// Wire names that have changed since the recordings were made: recorded name, present name.
const RENAMED: [(&str, &str); 1] = [("slowest_open_seconds", "oldest_in_flight_seconds")];

/// Expected form of a recorded answer, for error messages.
const EXPECTED: &str = "an answer of GET /health, schema 1";

/// Rebuilds the answers of one recording, in their order.
#[derive(Debug, Default)]
pub(super) struct HealthRebuilder {
    bounds: Option<Value>,
}

impl HealthRebuilder {
    /// Returns the answer for its recorded form.
    pub(super) fn rebuild(
        &mut self,
        mut recorded: Map<String, Value>,
    ) -> Result<Health, RecordingErrorKind> {
        for (old, new) in RENAMED {
            if let Some(value) = recorded.remove(old) {
                recorded.entry(new).or_insert(value);
            }
        }
        if let Some(Value::Object(latency)) = recorded.get_mut("latency") {
            self.complete_bounds(latency)?;
        }
        let errors = recorded.get("error_count").map_or(Some(0), Value::as_u64);
        let status = Status::of(errors.unwrap_or(0));
        let status = serde_json::to_value(status)
            .map_err(|error| RecordingErrorKind::json(&error, EXPECTED))?;
        recorded.entry("status").or_insert(status);
        let health: Health = serde_json::from_value(Value::Object(recorded))
            .map_err(|error| RecordingErrorKind::json(&error, EXPECTED))?;
        match &health.latency {
            Some(latency) if latency.counts.len() != latency.bounds_seconds.len() + 1 => {
                Err(RecordingErrorKind::value(
                    format!("{} latency counts", latency.counts.len()),
                    "one more latency count than bounds",
                ))
            }
            _ => Ok(health),
        }
    }

    /// Carries the bounds over from an earlier answer, or keeps those of this one.
    fn complete_bounds(
        &mut self,
        latency: &mut Map<String, Value>,
    ) -> Result<(), RecordingErrorKind> {
        const NAME: &str = "bounds_seconds";
        match (latency.get(NAME), &self.bounds) {
            (Some(bounds), _) => self.bounds = Some(bounds.clone()),
            (None, Some(bounds)) => {
                latency.insert(NAME.to_owned(), bounds.clone());
            }
            (None, None) => {
                return Err(RecordingErrorKind::Missing(
                    "`latency.bounds_seconds` of the first answer",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rebuild(rebuilder: &mut HealthRebuilder, json: &str) -> Result<Health, RecordingErrorKind> {
        rebuilder.rebuild(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn status_follows_from_error_count() {
        for (errors, status) in [
            (5, Status::Healthy),
            (6, Status::Degraded),
            (11, Status::Critical),
        ] {
            let json = format!(r#"{{"error_count": {errors}}}"#);
            let health = rebuild(&mut HealthRebuilder::default(), &json).unwrap();
            assert_eq!(health.status, status, "{errors}");
        }
    }

    #[test]
    fn renamed_field_is_read_by_both_names() {
        for name in ["slowest_open_seconds", "oldest_in_flight_seconds"] {
            let json = format!(r#"{{"{name}": 1.5}}"#);
            let health = rebuild(&mut HealthRebuilder::default(), &json).unwrap();
            assert_eq!(health.oldest_in_flight_seconds, Some(1.5), "{name}");
        }
    }

    #[test]
    fn bounds_are_carried_over() {
        let mut rebuilder = HealthRebuilder::default();
        let first = r#"{"latency": {"bounds_seconds": [1.0], "counts": [3, 0]}}"#;
        rebuild(&mut rebuilder, first).unwrap();
        let health = rebuild(&mut rebuilder, r#"{"latency": {"counts": [4, 1]}}"#).unwrap();
        let latency = health.latency.unwrap();
        assert_eq!(
            (latency.bounds_seconds, latency.counts),
            (vec![1.0], vec![4, 1])
        );
    }

    #[test]
    fn bounds_must_precede_their_counts_and_fit_them() {
        let counts = r#"{"latency": {"counts": [4, 1]}}"#;
        let error = rebuild(&mut HealthRebuilder::default(), counts).unwrap_err();
        assert!(matches!(error, RecordingErrorKind::Missing(_)), "{error}");
        let both = r#"{"latency": {"bounds_seconds": [1.0], "counts": [3]}}"#;
        let error = rebuild(&mut HealthRebuilder::default(), both).unwrap_err();
        assert!(error.to_string().contains("one more"), "{error}");
    }

    #[test]
    fn absent_fields_stay_absent() {
        let health = rebuild(&mut HealthRebuilder::default(), "{}").unwrap();
        assert_eq!(health, Health::default());
    }

    #[test]
    fn malformed_field_is_an_error() {
        let error = rebuild(&mut HealthRebuilder::default(), r#"{"uptime": "long"}"#).unwrap_err();
        assert!(error.to_string().contains("expected an answer"), "{error}");
    }
}
