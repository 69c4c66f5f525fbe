//! Load: the clients' own counts of their responses, as `load.log` lists them.

use serde_json::{Map, Value};

use super::error::RecordingErrorKind;

/// Expected form of a line, for error messages.
const EXPECTED: &str = "`SECONDS PHASE {\"OUTCOME\": COUNT, …} …`";

/// Interval of the load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadInterval {
    /// End of the interval, in seconds since the start of the recording. It begins at the end of the one
    /// before, the first at 0.
    pub end_seconds: f64,
    /// Requests that ended with status 200 before their client's time-out.
    pub served: u64,
}

/// Returns the interval of a line; absent for a line of totals.
pub(super) fn parse(line: &str) -> Result<Option<LoadInterval>, RecordingErrorKind> {
    let malformed = || RecordingErrorKind::value(line, EXPECTED);
    let mut words = line.split_whitespace();
    let first = words.next();
    if matches!(first, None | Some("TOTAL")) || words.next() == Some("end") {
        return Ok(None);
    }
    let end = first.and_then(|word| word.parse::<f64>().ok());
    let end_seconds = end.filter(|end| end.is_finite()).ok_or_else(malformed)?;
    let from = line.find('{').ok_or_else(malformed)?;
    let to = line.find('}').ok_or_else(malformed)?;
    let outcomes: Map<String, Value> = line
        .get(from..=to)
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or_else(malformed)?;
    let served = outcomes.get("200").map_or(Some(0), Value::as_u64);
    Ok(Some(LoadInterval {
        end_seconds,
        served: served.ok_or_else(malformed)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_has_its_end_and_the_served_requests() {
        for (line, served) in [
            (
                r#"   5.0  54.6:80 {"200": 273, "timeout": 2} p50 8 ms p99 16 ms"#,
                273,
            ),
            (
                r#"   5.0   20:185 {"timeout": 7} p50 1 ms | waiting 0 sent 100 opened 1"#,
                0,
            ),
        ] {
            let interval = parse(line).unwrap().unwrap();
            assert_eq!((interval.end_seconds, interval.served), (5.0, served));
        }
    }

    #[test]
    fn totals_are_skipped_and_other_lines_are_errors() {
        for line in [
            "",
            r#"TOTAL  266.0          {"200": 12946} p50 1 ms"#,
            r#" 266.0      end {"200": 72} p50 1 ms"#,
        ] {
            assert_eq!(parse(line).unwrap(), None, "{line}");
        }
        for line in [
            "x 1:2 {}",
            "1.0 1:2",
            r#"1.0 1:2 {"200": "x"}"#,
            "1.0 1:2 } {",
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains("expected `SECONDS"), "{error}");
        }
    }
}
