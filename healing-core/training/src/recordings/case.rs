//! Case of a run: its load and its faults, as `case.json` describes them.

use serde::Deserialize;
use serde_json::Value;

use super::error::RecordingErrorKind;

/// Expected form of `case.json`, for error messages.
const EXPECTED: &str = "an object with `name`, `base`, `phases`, `timeout` and `faults`";

/// Load and faults of a run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RecordedCase {
    /// Name of the run, unique in its archive.
    pub name: String,
    /// Time at which the fault or the change of the load begins, in seconds since the start of the
    /// recording: before it the service runs as usual.
    #[serde(rename = "base")]
    pub fault_seconds: f64,
    /// Phases of the load: `RATE:SECONDS` (open loop, requests per second) or `cN:SECONDS` (N clients in a
    /// closed loop).
    pub phases: Vec<String>,
    /// Time after which a client gives up, in seconds.
    #[serde(rename = "timeout")]
    pub client_timeout_seconds: f64,
    /// Faults in the order of their time.
    pub faults: Vec<Fault>,
    /// Paths of the requests. Absent in the runs with a new connection for each request.
    #[serde(default)]
    pub path: Option<String>,
    /// Transport of the requests. Absent in the runs with a new connection for each request.
    #[serde(default, rename = "tr")]
    pub transport: Option<String>,
}

/// Fault of a run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Vec<Value>")]
pub struct Fault {
    /// Time since the start of the recording, in seconds; negative for a setting before the start.
    pub seconds: f64,
    /// Name of the fault; `restart` is a restart of the app by the recorder.
    pub name: String,
    /// Parameters of the fault.
    pub parameters: Vec<f64>,
}

impl TryFrom<Vec<Value>> for Fault {
    type Error = &'static str;

    fn try_from(list: Vec<Value>) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "a fault is a list of its time, its name and its numeric parameters";
        let [seconds, name, parameters @ ..] = list.as_slice() else {
            return Err(EXPECTED);
        };
        Ok(Self {
            seconds: seconds.as_f64().ok_or(EXPECTED)?,
            name: name.as_str().ok_or(EXPECTED)?.to_owned(),
            parameters: parameters
                .iter()
                .map(|value| value.as_f64().ok_or(EXPECTED))
                .collect::<Result<_, _>>()?,
        })
    }
}

// === impl RecordedCase ===

impl RecordedCase {
    /// Parses the text of `case.json`.
    pub(super) fn parse(text: &[u8]) -> Result<Self, RecordingErrorKind> {
        let case: Self = serde_json::from_slice(text)
            .map_err(|error| RecordingErrorKind::json(&error, EXPECTED))?;
        if case.fault_seconds >= 0.0 && case.client_timeout_seconds > 0.0 {
            Ok(case)
        } else {
            Err(RecordingErrorKind::value(
                format!("{} and {}", case.fault_seconds, case.client_timeout_seconds),
                "`base` from 0 and a positive `timeout`",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_parsed_with_its_faults() {
        let text = r#"{"name": "k-convoy", "base": 80, "phases": ["20:290"], "timeout": 10,
            "limit": 300, "faults": [[-1, "convoy_ms", 15], [140.5, "restart"]]}"#;
        let case = RecordedCase::parse(text.as_bytes()).unwrap();
        assert_eq!((case.name.as_str(), case.fault_seconds), ("k-convoy", 80.0));
        assert_eq!(case.faults[0].parameters, [15.0]);
        assert_eq!(
            (case.faults[1].seconds, case.faults[1].name.as_str()),
            (140.5, "restart")
        );
    }

    #[test]
    fn malformed_cases_name_the_expected_form() {
        for (text, part) in [
            ("[]", "an object with"),
            (
                r#"{"name": "a", "base": 1, "phases": [], "timeout": 1, "faults": [["x"]]}"#,
                "a fault is",
            ),
            (
                r#"{"name": "a", "base": -1, "phases": [], "timeout": 1, "faults": []}"#,
                "`base` from 0",
            ),
        ] {
            let error = RecordedCase::parse(text.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
