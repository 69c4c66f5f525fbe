//! Failures of a scenario.

use std::fmt::Display;
use std::io;

use healing_cli::pod::Role;
use healing_core::health::Status;

use super::load::LoadSummary;
use super::wait::WaitTimeout;

/// Failure of a scenario, which is an observation that was not made or is not as expected.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// An expected observation was not made in time.
    #[error(transparent)]
    Timeout(#[from] WaitTimeout),
    /// A request of the demo to the app received no complete response.
    #[error("{request}: {error}")]
    Request {
        /// Method and path.
        request: String,
        /// Error of the HTTP client.
        #[source]
        error: reqwest::Error,
    },
    /// The app responded to a request of the demo with an unexpected status.
    #[error("the status of {request} should be {expected}, was {status}: {body}")]
    HttpStatus {
        /// Method and path.
        request: String,
        /// Expected status.
        expected: u16,
        /// Observed status.
        status: u16,
        /// Body of the response.
        body: String,
    },
    /// Requests of the load failed while the app was healthy.
    #[error("{} of {} requests failed, {} of them by timeout", .0.failed, .0.requests, .0.timed_out)]
    RequestsFailed(LoadSummary),
    /// `/health` does not report the errors that were made.
    #[error("/health should report degraded, {expected} errors; it reports {}", health(*.reported))]
    Health {
        /// Number of errors that were made.
        expected: u64,
        /// Reported status and number of errors, if the response was valid.
        reported: Option<(Status, u64)>,
    },
    /// A process of the pod exited in a scenario in which none may exit.
    #[error("the {} should keep running, it {}", .role.as_str(), exit(*.code, *.signal))]
    UnexpectedExit {
        /// Container of the process.
        role: Role,
        /// Exit code, unless a signal terminated the process.
        code: Option<i32>,
        /// Signal that terminated the process.
        signal: Option<i32>,
    },
    /// The dependency's process could not be started again.
    #[error("the dependency cannot be started again: {0}")]
    RestartDependency(#[source] io::Error),
    /// The doctor recorded another outcome of its treatment than `recovered`.
    #[error("the outcome of the treatment should be recovered, was {0}")]
    NotVerified(String),
    /// The doctor carried out another action.
    #[error("the action should be {expected}, was {observed}")]
    Action {
        /// Expected action.
        expected: &'static str,
        /// Observed action.
        observed: &'static str,
    },
    /// The first veto has another reason code.
    #[error("the veto should be {}, was {}", or_none(*.expected), or_none(.observed.as_deref()))]
    Veto {
        /// Expected reason code.
        expected: Option<&'static str>,
        /// Observed reason code.
        observed: Option<String>,
    },
    /// The sidecar exited with another code.
    #[error("the sidecar's exit code should be {}, was {}", or_none(*.expected), or_none(*.observed))]
    SidecarExit {
        /// Expected exit code.
        expected: Option<i32>,
        /// Observed exit code, which is 128 plus the signal's number after a signal.
        observed: Option<i32>,
    },
    /// The app was not restarted.
    #[error("the app's process should be a new one, was {before} before and {after} after")]
    SameProcess {
        /// Process id before.
        before: u32,
        /// Process id after, or 0 if no process runs.
        after: u32,
    },
    /// The app was restarted.
    #[error("the app's process should be the same, was {before} before and {after} after")]
    NewProcess {
        /// Process id before.
        before: u32,
        /// Process id after.
        after: u32,
    },
}

/// Formats the exit of a process.
pub(super) fn exit(code: Option<i32>, signal: Option<i32>) -> String {
    match (code, signal) {
        (Some(code), _) => format!("exits {code}"),
        (None, Some(signal)) => format!("is terminated by signal {signal}"),
        (None, None) => "exits".to_owned(),
    }
}

fn health(reported: Option<(Status, u64)>) -> String {
    match reported {
        Some((status, errors)) => format!("{status:?}, {errors} errors").to_lowercase(),
        None => "nothing valid".to_owned(),
    }
}

fn or_none(value: Option<impl Display>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_expected_and_observed() {
        let messages = [
            (
                ScenarioError::HttpStatus {
                    request: "POST /faults/wedge".into(),
                    expected: 200,
                    status: 404,
                    body: "unknown fault".into(),
                },
                "the status of POST /faults/wedge should be 200, was 404: unknown fault",
            ),
            (
                ScenarioError::RequestsFailed(LoadSummary {
                    requests: 300,
                    failed: 7,
                    timed_out: 2,
                }),
                "7 of 300 requests failed, 2 of them by timeout",
            ),
            (
                ScenarioError::Health {
                    expected: 6,
                    reported: Some((Status::Critical, 11)),
                },
                "/health should report degraded, 6 errors; it reports critical, 11 errors",
            ),
            (
                ScenarioError::Health {
                    expected: 6,
                    reported: None,
                },
                "/health should report degraded, 6 errors; it reports nothing valid",
            ),
            (
                ScenarioError::UnexpectedExit {
                    role: Role::Sidecar,
                    code: Some(88),
                    signal: None,
                },
                "the sidecar should keep running, it exits 88",
            ),
            (
                ScenarioError::UnexpectedExit {
                    role: Role::App,
                    code: None,
                    signal: Some(9),
                },
                "the app should keep running, it is terminated by signal 9",
            ),
            (
                ScenarioError::NotVerified("worse".into()),
                "the outcome of the treatment should be recovered, was worse",
            ),
            (
                ScenarioError::Action {
                    expected: "reset_errors",
                    observed: "no_action",
                },
                "the action should be reset_errors, was no_action",
            ),
            (
                ScenarioError::Veto {
                    expected: Some("dependency_down"),
                    observed: None,
                },
                "the veto should be dependency_down, was none",
            ),
            (
                ScenarioError::SidecarExit {
                    expected: Some(88),
                    observed: Some(137),
                },
                "the sidecar's exit code should be 88, was 137",
            ),
            (
                ScenarioError::SameProcess {
                    before: 10,
                    after: 10,
                },
                "the app's process should be a new one, was 10 before and 10 after",
            ),
            (
                ScenarioError::NewProcess {
                    before: 10,
                    after: 11,
                },
                "the app's process should be the same, was 10 before and 11 after",
            ),
        ];
        for (error, message) in messages {
            assert_eq!(error.to_string(), message);
        }
    }

    #[tokio::test]
    async fn timeout_names_observation_and_limit() {
        let limit = std::time::Duration::ZERO;
        let timeout = crate::demo::wait::wait_for("a veto", limit, async || None::<()>).await;
        assert_eq!(
            ScenarioError::from(timeout.unwrap_err()).to_string(),
            "a veto was not seen within 0ns"
        );
    }
}
