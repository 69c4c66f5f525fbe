//! Input of the policy: the results of the probes, and the circumstances.

use std::time::Duration;

use crate::health::Health;

/// Both clocks, read by the caller, because this crate has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Time since any fixed origin. It never decreases within a process.
    pub monotonic: Duration,
    /// Time since the Unix epoch. It may jump, and is used only for the gap between two processes and
    /// for `hour_of_day`.
    pub wall: Duration,
}

/// Results of one poll.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Result of `GET /health` on the care port.
    pub care: ProbeResult<Health>,
    /// Result of `GET /healthz` on the app's own port, the front door of its clients.
    pub front_door: ProbeResult<()>,
    /// Sockets of the app's own port. `None` if they cannot be read.
    pub sockets: Option<PortSockets>,
    /// Knowledge of the caller in addition to the probes.
    pub circumstances: Circumstances,
}

/// Sockets of the app's own port, without the doctor's probes. Each figure but the bytes received is the
/// smallest of several reads within a second, so that a short burst is not taken for a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PortSockets {
    /// Number of connections that the app has not accepted.
    pub backlog: u64,
    /// Number of established connections, including those in the backlog.
    pub established: u64,
    /// Number of connections, established or closed by the client, with bytes that the app has not read.
    pub unread: u64,
    /// Number of bytes that the app has not read.
    pub unread_bytes: u64,
    /// Set if a socket listens on the port.
    pub listening: bool,
    /// Number of bytes that arrived since the previous poll on connections that were established in both
    /// polls, read by the app or not. `None` if the sockets were not read in one of them, and while more
    /// than 256 connections are established.
    pub received_bytes: Option<u64>,
}

/// Result of a probe.
#[derive(Debug, Clone, PartialEq)]
pub enum ProbeResult<T> {
    /// A valid response, and its latency.
    Valid(T, Duration),
    /// An invalid response.
    Invalid(InvalidAnswer),
    /// The connection was refused, because no process listens.
    Refused,
    /// The response was not complete before the timeout.
    TimedOut,
    /// The probe is not configured.
    NotProbed,
}

/// Defect of an invalid response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvalidAnswer {
    /// A status other than 200.
    Status(u16),
    /// The response is larger than the limit.
    TooLarge,
    /// The response is not JSON of the expected schema.
    Malformed,
    /// A value is not finite, or out of its range.
    OutOfRange,
    /// The connection broke, or the peer does not speak HTTP.
    Transport,
}

/// Conditions for permission that are not part of the app's own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// Mode of the doctor.
    pub mode: Mode,
    /// Set if an operator has paused healing.
    pub paused: bool,
    /// Set if the state directory is writable. A restart that cannot be recorded is not allowed.
    pub state_writable: bool,
    /// Set if the pod is being shut down, which the sidecar learns by SIGTERM.
    pub draining: bool,
    /// Set if the very process that sent the latest health report is running, by its pid and start time; a
    /// successor does not count. `None` if the caller cannot know it; it can in a local pod or with a shared
    /// PID namespace.
    pub process_alive: Option<bool>,
    /// Set if the doctor itself was late in this poll (stopped, starved, or waiting for name resolution), so
    /// that the results say nothing about the app.
    pub late: bool,
}

/// Mode of the doctor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Actions are only reported.
    #[default]
    Observe,
    /// Allowed actions are carried out.
    Enforce,
}

impl Default for Circumstances {
    fn default() -> Self {
        Self {
            mode: Mode::Observe,
            paused: false,
            state_writable: true,
            draining: false,
            process_alive: None,
            late: false,
        }
    }
}
