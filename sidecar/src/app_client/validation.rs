//! Validation of a `/health` report that parses.
//!
//! One figure that is not finite or out of its range makes the whole report invalid, because the
//! other figures of such a report could lead to a restart of a healthy app.

use std::fmt::Display;

use healing_core::health::{CheckReport, Health, Latency, Runtime, Vitals, WindowStats};
use serde::Serialize;

/// Range of a percentage. Measuring errors and CPU bursts may exceed 100, but not by orders of magnitude.
const PERCENT: Range = Range(1000.0);
/// Range of a ratio.
const RATIO: Range = Range(1.0);
/// Range of a time: up to a thousand years.
const SECONDS: Range = Range(3.2e10);
/// Range of an amount: any finite number from 0.
const AMOUNT: Range = Range(f64::MAX);
/// Maximum number of bounds of the latency histogram.
const MAX_BUCKETS: usize = 1024;
/// Maximum length of a name, in bytes, because names are copied into state and journal.
const MAX_NAME_BYTES: usize = 256;
/// Maximum number of checks, hooks or windows.
const MAX_ENTRIES: usize = 256;

/// Figure of a `/health` report that is out of its range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field} is {value}; expected {expected}")]
pub struct OutOfRange {
    /// Path of the field, as in `windows[0].error_ratio`.
    pub field: String,
    /// Value of the field; for names and lists, its length.
    pub value: String,
    /// Values that are allowed.
    pub expected: String,
}

impl OutOfRange {
    fn new(field: impl Display, value: impl Display, expected: impl Display) -> Self {
        Self {
            field: field.to_string(),
            value: value.to_string(),
            expected: expected.to_string(),
        }
    }
}

/// Checks that every figure is finite and in its range, and that names and lists are not too long.
///
/// # Errors
///
/// Returns the first field that fails the check.
pub(super) fn validate(health: &Health) -> Result<(), OutOfRange> {
    for (field, name) in [("app", &health.app), ("instance_id", &health.instance_id)] {
        check_name(field, name.as_deref().unwrap_or_default())?;
    }
    check_length("windows", health.windows.len(), MAX_ENTRIES)?;
    check_length("checks", health.checks.len(), MAX_ENTRIES)?;
    check_length("hooks", health.hooks.len(), MAX_ENTRIES)?;
    for (index, hook) in health.hooks.iter().enumerate() {
        check_name(format_args!("hooks[{index}].name"), &hook.name)?;
    }
    PERCENT.check_optional("cpu_usage", health.cpu_usage)?;
    PERCENT.check_optional("memory_usage", health.memory_usage)?;
    SECONDS.check("uptime", health.uptime)?;
    if let Some(hour) = health.hour_of_day.filter(|hour| *hour > 23) {
        return Err(OutOfRange::new("hour_of_day", hour, "0 to 23"));
    }
    health.latency.as_ref().map_or(Ok(()), latency)?;
    for (index, stats) in health.windows.iter().enumerate() {
        window(index, stats)?;
    }
    health.vitals.as_ref().map_or(Ok(()), vitals)?;
    health.runtime.as_ref().map_or(Ok(()), runtime)?;
    for (index, report) in health.checks.iter().enumerate() {
        check(index, report)?;
    }
    Ok(())
}

fn latency(latency: &Latency) -> Result<(), OutOfRange> {
    let bounds = &latency.bounds_seconds;
    check_length("latency.bounds_seconds", bounds.len(), MAX_BUCKETS)?;
    if latency.counts.len() != bounds.len() + 1 {
        return Err(OutOfRange::new(
            "latency.counts",
            format_args!("{} entries long", latency.counts.len()),
            format_args!("{} entries, one more than bounds", bounds.len() + 1),
        ));
    }
    for (index, bound) in bounds.iter().enumerate() {
        SECONDS.check(format_args!("latency.bounds_seconds[{index}]"), *bound)?;
    }
    for (index, pair) in bounds.windows(2).enumerate() {
        if let [lower, upper] = pair
            && lower >= upper
        {
            return Err(OutOfRange::new(
                format_args!("latency.bounds_seconds[{}]", index + 1),
                upper,
                format_args!("more than {lower}, the bound before it"),
            ));
        }
    }
    Ok(())
}

fn window(index: usize, window: &WindowStats) -> Result<(), OutOfRange> {
    let field = |name: &str| format!("windows[{index}].{name}");
    SECONDS.check(field("seconds"), window.seconds)?;
    AMOUNT.check(field("request_rate"), window.request_rate)?;
    RATIO.check_optional(field("error_ratio"), window.error_ratio)?;
    RATIO.check_optional(field("panic_ratio"), window.panic_ratio)?;
    SECONDS.check_optional(field("p50_seconds"), window.p50_seconds)?;
    SECONDS.check_optional(field("p99_seconds"), window.p99_seconds)
}

fn vitals(vitals: &Vitals) -> Result<(), OutOfRange> {
    AMOUNT.check_optional("vitals.cpu_seconds_total", vitals.cpu_seconds_total)?;
    AMOUNT.check_optional("vitals.cpu_limit_cores", vitals.cpu_limit_cores)?;
    AMOUNT.check_optional(
        "vitals.cpu_throttled_seconds_total",
        vitals.cpu_throttled_seconds_total,
    )
}

fn runtime(runtime: &Runtime) -> Result<(), OutOfRange> {
    SECONDS.check("runtime.tick_age_seconds", runtime.tick_age_seconds)?;
    SECONDS.check("runtime.lag_seconds", runtime.lag_seconds)
}

fn check(index: usize, check: &CheckReport) -> Result<(), OutOfRange> {
    check_name(format_args!("checks[{index}].name"), &check.name)?;
    SECONDS.check_optional(
        format_args!("checks[{index}].age_seconds"),
        check.age_seconds,
    )
}

fn check_name(field: impl Display, name: &str) -> Result<(), OutOfRange> {
    if name.len() <= MAX_NAME_BYTES {
        return Ok(());
    }
    Err(OutOfRange::new(
        field,
        format_args!("{} bytes long", name.len()),
        format_args!("at most {MAX_NAME_BYTES} bytes"),
    ))
}

fn check_length(field: &str, length: usize, max: usize) -> Result<(), OutOfRange> {
    if length <= max {
        return Ok(());
    }
    Err(OutOfRange::new(
        field,
        format_args!("{length} entries long"),
        format_args!("at most {max} entries"),
    ))
}

/// Range from 0 to this number.
struct Range(f64);

impl Range {
    fn check(&self, field: impl Display, value: f64) -> Result<(), OutOfRange> {
        if (0.0..=self.0).contains(&value) {
            return Ok(());
        }
        let expected = if self.0 == f64::MAX {
            "a finite number from 0".to_owned()
        } else {
            format!("a number from 0 to {}", self.0)
        };
        // `Debug` writes 1e300 in few digits, `Display` in 301.
        Err(OutOfRange::new(field, format_args!("{value:?}"), expected))
    }

    fn check_optional(&self, field: impl Display, value: Option<f64>) -> Result<(), OutOfRange> {
        value.map_or(Ok(()), |value| self.check(field, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Health {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn validate_accepts_the_five_original_fields() {
        let original =
            r#"{"status":"healthy","cpu_usage":10.5,"memory_usage":20,"error_count":3,"uptime":7}"#;
        assert_eq!(validate(&parse(original)), Ok(()));
        assert_eq!(validate(&parse(r#"{"status":"degraded"}"#)), Ok(()));
    }

    #[test]
    fn validate_names_field_value_and_range() {
        for (fields, message) in [
            (
                r#""cpu_usage":-1"#,
                "cpu_usage is -1.0; expected a number from 0 to 1000",
            ),
            (
                r#""memory_usage":1e9"#,
                "memory_usage is 1000000000.0; expected a number from 0 to 1000",
            ),
            (
                r#""uptime":-0.5"#,
                "uptime is -0.5; expected a number from 0 to 32000000000",
            ),
            (r#""hour_of_day":24"#, "hour_of_day is 24; expected 0 to 23"),
            (
                r#""latency":{"bounds_seconds":[1,2],"counts":[1,2]}"#,
                "latency.counts is 2 entries long; expected 3 entries, one more than bounds",
            ),
            (
                r#""latency":{"bounds_seconds":[2,1],"counts":[1,2,3]}"#,
                "latency.bounds_seconds[1] is 1; expected more than 2, the bound before it",
            ),
            (
                r#""windows":[{"seconds":10,"request_rate":1,"error_ratio":1.5}]"#,
                "windows[0].error_ratio is 1.5; expected a number from 0 to 1",
            ),
            (
                r#""windows":[{"seconds":10,"request_rate":-1}]"#,
                "windows[0].request_rate is -1.0; expected a finite number from 0",
            ),
            (
                r#""vitals":{"cpu_limit_cores":-2}"#,
                "vitals.cpu_limit_cores is -2.0; expected a finite number from 0",
            ),
            (
                r#""runtime":{"tick_age_seconds":-1,"lag_seconds":0,"stalled":true}"#,
                "runtime.tick_age_seconds is -1.0; expected a number from 0 to 32000000000",
            ),
            (
                r#""checks":[{"name":"x","kind":"local","state":"failing","age_seconds":-3}]"#,
                "checks[0].age_seconds is -3.0; expected a number from 0 to 32000000000",
            ),
        ] {
            let health = parse(&format!(r#"{{"status":"healthy",{fields}}}"#));
            assert_eq!(validate(&health).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn validate_rejects_huge_and_missing_numbers() {
        let huge = parse(r#"{"status":"healthy","uptime":1e300}"#);
        assert_eq!(validate(&huge).unwrap_err().value, "1e300");
        let mut nan = parse(r#"{"status":"healthy"}"#);
        nan.uptime = f64::NAN;
        assert_eq!(validate(&nan).unwrap_err().value, "NaN");
    }

    #[test]
    fn validate_bounds_names_and_lists() {
        let long = "x".repeat(300);
        let named = parse(&format!(r#"{{"status":"healthy","instance_id":"{long}"}}"#));
        assert_eq!(
            validate(&named).unwrap_err().to_string(),
            "instance_id is 300 bytes long; expected at most 256 bytes"
        );
        let mut many = parse(r#"{"status":"healthy"}"#);
        many.windows = vec![WindowStats::default(); 257];
        assert_eq!(
            validate(&many).unwrap_err().to_string(),
            "windows is 257 entries long; expected at most 256 entries"
        );
    }
}
