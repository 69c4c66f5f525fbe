//! Input of the policy: the results of the probes, and the circumstances.

use std::time::Duration;

use crate::health::Health;

/// Both clocks, read by the caller: the core has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Time since an origin of the caller's choice; never goes back within a process.
    pub monotonic: Duration,
    /// Time since the Unix epoch; may jump. Used only for the gap between two processes and for
    /// `hour_of_day`.
    pub wall: Duration,
}

/// Results of one poll.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Result of `GET /health` on the care port.
    pub care: ProbeResult<Health>,
    /// Result of `GET /healthz` on the app's own port, the front door of its clients.
    pub front_door: ProbeResult<()>,
    /// Knowledge of the caller beside the probes.
    pub circumstances: Circumstances,
}

/// Result of a probe.
#[derive(Debug, Clone, PartialEq)]
pub enum ProbeResult<T> {
    /// A valid answer, and its latency.
    Valid(T, Duration),
    /// An invalid answer: wrong status, not JSON, too large, out of range.
    Invalid(InvalidAnswer),
    /// The connection is refused: nothing listens.
    Refused,
    /// There is no complete answer in time.
    TimedOut,
    /// The probe is not configured.
    NotProbed,
}

/// Reason why an answer is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvalidAnswer {
    /// A status other than 200.
    Status(u16),
    /// The answer is larger than the limit.
    TooLarge,
    /// The answer is not JSON of the schema.
    Malformed,
    /// A figure is not finite, or out of its range.
    OutOfRange,
    /// The connection broke, or the peer does not speak HTTP.
    Transport,
}

/// Conditions of permission beside the app's own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// Mode of the doctor.
    pub mode: Mode,
    /// Set if an operator has paused healing.
    pub paused: bool,
    /// Set if the state directory is writable: a restart that cannot be remembered is not allowed.
    pub state_writable: bool,
    /// Set if the pod is being shut down: the sidecar has received SIGTERM.
    pub draining: bool,
    /// Liveness of the app's process, if the caller can know it (a local pod, a shared PID namespace).
    pub process_alive: Option<bool>,
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
        }
    }
}
