//! What the policy is shown: what the app said, and the circumstances.

use std::time::Duration;

use crate::health::Health;

/// Both clocks, read by the caller. The core has none of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Time since an origin of the caller's choice that never goes back in one process.
    pub monotonic: Duration,
    /// Time since the Unix epoch; may jump. Used only for what outlives a process (budget,
    /// cooldown, expiries) and for `hour_of_day`.
    pub wall: Duration,
}

/// One poll.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// `GET /health` on the care port.
    pub care: ProbeResult<Health>,
    /// `GET /healthz` on the app's own port: can a client get in?
    pub front_door: ProbeResult<()>,
    /// What the caller knows beside it.
    pub circumstances: Circumstances,
}

/// How a probe ended.
#[derive(Debug, Clone, PartialEq)]
pub enum ProbeResult<T> {
    /// A valid answer, after this long.
    Valid(T, Duration),
    /// An answer that makes no sense: wrong status, not JSON, too large, out of range.
    Invalid(InvalidAnswer),
    /// Nobody listens.
    Refused,
    /// No complete answer in time.
    TimedOut,
    /// The probe was not made (not configured).
    NotProbed,
}

/// Why an answer makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvalidAnswer {
    /// A status other than 200.
    Status(u16),
    /// Larger than the limit.
    TooLarge,
    /// Not the schema's JSON.
    Malformed,
    /// A figure that is not finite, or out of its range.
    OutOfRange,
    /// The connection broke, or the peer does not speak HTTP.
    Transport,
}

/// What decides about permission beside the app's own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// `observe` reports what would have been done.
    pub mode: Mode,
    /// An operator has paused healing.
    pub paused: bool,
    /// The state directory can be written: a restart that cannot be remembered is not allowed.
    pub state_writable: bool,
    /// The pod is being shut down (the sidecar got SIGTERM).
    pub draining: bool,
    /// The app's process lives, if the caller can know (a local pod, a shared PID namespace).
    pub process_alive: Option<bool>,
}

/// Whether allowed actions are carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Report only.
    #[default]
    Observe,
    /// Act.
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
