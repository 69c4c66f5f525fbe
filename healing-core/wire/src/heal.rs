//! Request and responses of `POST /heal`.

use serde::{Deserialize, Serialize};

use crate::health::Status;

/// Action of `POST /heal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealAction {
    /// Soft heal: sets `error_count` to zero and runs the recovery hooks.
    ResetErrors,
    /// Shuts this instance down gracefully, so that its supervisor starts a new one.
    RestartService,
    /// Drains the app for a lease of 30 s, renewed by repeating the request.
    Drain,
    /// Cancels the drain lease.
    Undrain,
}

impl HealAction {
    /// All actions, in the order in which error messages list them.
    pub const ALL: [Self; 4] = [
        Self::ResetErrors,
        Self::RestartService,
        Self::Drain,
        Self::Undrain,
    ];

    /// Returns the name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResetErrors => "reset_errors",
            Self::RestartService => "restart_service",
            Self::Drain => "drain",
            Self::Undrain => "undrain",
        }
    }
}

/// Request body of `POST /heal`. An empty body means `reset_errors`, as in the original system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealRequest {
    /// Requested action.
    pub action: HealAction,
}

/// Response body of an accepted `POST /heal`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealResponse {
    /// Requested action.
    pub action: HealAction,
    /// Human-readable result, in one sentence.
    pub message: String,
    /// `error_count` before the action.
    pub previous_error_count: u64,
    /// Status after the action.
    pub current_status: Status,
    /// Outcome of each hook that ran, in order. Empty or absent if none ran.
    #[serde(default)]
    pub hooks: Vec<HookOutcome>,
}

/// Outcome of one recovery hook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HookOutcome {
    /// Name of the hook.
    pub name: String,
    /// `true` if the hook succeeded.
    pub ok: bool,
    /// Duration of the run, in seconds.
    pub seconds: f64,
    /// Error of the hook, `timed out after …` or `panicked: …`. Absent if it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Response body of a rejected `POST /heal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealError {
    /// Stable error code, one of:
    ///
    /// | code | HTTP status | cause |
    /// |---|---|---|
    /// | `malformed` | 400 | the body is not the expected JSON |
    /// | `unknown_action` | 400 | the action is not a [`HealAction`] |
    /// | `forbidden` | 403 | the caller is not allowed to heal |
    /// | `already_healing` | 409 | another action is in progress |
    /// | `too_large` | 413 | the body is too large |
    /// | `broken` | 500 | an internal error of the healing layer |
    /// | `runtime_stalled` | 503 | the app's runtime is stalled, so no hook can run |
    /// | `care_not_started` | 503 | the care thread, which exits the process, is not running |
    pub error: String,
    /// Human-readable cause and, if there is one, the remedy, in one sentence.
    pub message: String,
}
