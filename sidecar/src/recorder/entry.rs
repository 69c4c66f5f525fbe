//! Journal format of an observation.

use healing_core::health::Health;
use healing_core::observation::{InvalidAnswer, PortSockets, ProbeResult};
use serde::Serialize;

use super::PollReport;
use crate::app_client::OutOfRange;

/// Results of both probes, sockets, and the circumstances that can change while the doctor runs.
#[derive(Debug, Serialize)]
pub(crate) struct ObservationEntry<'a> {
    care: ProbeEntry<'a, Health>,
    front_door: ProbeEntry<'a, ()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sockets: Option<PortSockets>,
    late: bool,
    paused: bool,
    state_writable: bool,
}

/// Result of the probe of one port.
#[derive(Debug, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
enum ProbeEntry<'a, T> {
    Valid {
        seconds: f64,
        #[serde(skip_serializing_if = "is_unit")]
        health: &'a T,
    },
    Invalid {
        problem: String,
        /// Adds `field`, `value` and `expected`.
        #[serde(flatten)]
        out_of_range: Option<&'a OutOfRange>,
    },
    Refused,
    TimedOut,
    NotProbed,
}

impl<'a> ObservationEntry<'a> {
    pub(crate) fn new(poll: &'a PollReport) -> Self {
        let observation = &poll.observation;
        Self {
            care: ProbeEntry::new(&observation.care, poll.out_of_range.as_ref()),
            front_door: ProbeEntry::new(&observation.front_door, None),
            sockets: observation.sockets,
            late: observation.circumstances.late,
            paused: observation.circumstances.paused,
            state_writable: observation.circumstances.state_writable,
        }
    }
}

impl<'a, T> ProbeEntry<'a, T> {
    fn new(result: &'a ProbeResult<T>, out_of_range: Option<&'a OutOfRange>) -> Self {
        match result {
            ProbeResult::Valid(health, took) => Self::Valid {
                seconds: took.as_secs_f64(),
                health,
            },
            ProbeResult::Invalid(problem) => Self::Invalid {
                problem: match problem {
                    InvalidAnswer::Status(status) => format!("status {status}"),
                    InvalidAnswer::TooLarge => "too large".to_owned(),
                    InvalidAnswer::Malformed => "malformed".to_owned(),
                    InvalidAnswer::OutOfRange => "out of range".to_owned(),
                    InvalidAnswer::Transport => "not HTTP, or the connection broke".to_owned(),
                },
                out_of_range,
            },
            ProbeResult::Refused => Self::Refused,
            ProbeResult::TimedOut => Self::TimedOut,
            ProbeResult::NotProbed => Self::NotProbed,
        }
    }
}

/// Returns `true` for the front door's response, which has no content.
fn is_unit<T>(_: &&T) -> bool {
    size_of::<T>() == 0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use healing_core::observation::{Circumstances, Observation};
    use serde_json::json;

    use super::*;

    fn poll(
        invalid: InvalidAnswer,
        front_door: ProbeResult<()>,
        out_of_range: Option<OutOfRange>,
    ) -> PollReport {
        PollReport {
            observation: Observation {
                care: ProbeResult::Invalid(invalid),
                front_door,
                sockets: None,
                circumstances: Circumstances::default(),
            },
            out_of_range,
            unreadable: None,
            took: Duration::ZERO,
        }
    }

    #[test]
    fn entry_of_report_out_of_range_names_field_value_and_range() {
        let out_of_range = OutOfRange {
            field: "cpu_usage".to_owned(),
            value: "-1.0".to_owned(),
            expected: "a number from 0 to 1000".to_owned(),
        };
        let poll = poll(
            InvalidAnswer::OutOfRange,
            ProbeResult::Valid((), Duration::from_millis(500)),
            Some(out_of_range),
        );
        assert_eq!(
            serde_json::to_value(ObservationEntry::new(&poll)).unwrap(),
            json!({
                "care": {
                    "result": "invalid",
                    "problem": "out of range",
                    "field": "cpu_usage",
                    "value": "-1.0",
                    "expected": "a number from 0 to 1000",
                },
                "front_door": {"result": "valid", "seconds": 0.5},
                "late": false,
                "paused": false,
                "state_writable": true,
            })
        );
    }

    #[test]
    fn entry_of_other_results_has_no_range() {
        let poll = poll(InvalidAnswer::Status(500), ProbeResult::TimedOut, None);
        let entry = serde_json::to_value(ObservationEntry::new(&poll)).unwrap();
        assert_eq!(
            entry["care"],
            json!({"result": "invalid", "problem": "status 500"})
        );
        assert_eq!(entry["front_door"], json!({"result": "timed_out"}));
    }
}
