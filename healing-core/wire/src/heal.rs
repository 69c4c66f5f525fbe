//! The request and the response of `POST /heal`.

use serde::{Deserialize, Serialize};

use crate::health::Status;

/// What `POST /heal` can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealAction {
    /// Soft heal: zero `error_count`, run the hooks.
    ResetErrors,
    /// End this instance in order, so that its supervisor starts a new one.
    RestartService,
    /// Take no new work for the time of a lease (30 s, renewable).
    Drain,
    /// End the lease.
    Undrain,
}

impl HealAction {
    /// All that are known, in the order in which messages name them.
    pub const ALL: [Self; 4] = [
        Self::ResetErrors,
        Self::RestartService,
        Self::Drain,
        Self::Undrain,
    ];

    /// The word on the wire.
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

/// The body of `POST /heal`; an empty body means `reset_errors`, as in the original system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealRequest {
    /// What to do.
    pub action: HealAction,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealResponse {
    /// What was asked for.
    pub action: HealAction,
    /// One sentence: what was done, and what was not.
    pub message: String,
    /// `error_count` before.
    pub previous_error_count: u64,
    /// Status after.
    pub current_status: Status,
    /// One entry for each hook that was run, in order; empty where none is registered.
    #[serde(default)]
    pub hooks: Vec<HookOutcome>,
}

/// How one hook went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HookOutcome {
    /// Its name.
    pub name: String,
    /// Whether it succeeded.
    pub ok: bool,
    /// How long it took.
    pub seconds: f64,
    /// Why it failed: its own error, `timed out after …`, or `panicked: …`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The body of every refusal of `POST /heal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealError {
    /// A stable code: `unknown_action`, `malformed`, `too_large`, `forbidden`, `already_healing`,
    /// `runtime_stalled`, `care_not_started` (nobody is there to end the process), `broken`.
    pub error: String,
    /// What was wrong and what would be right.
    pub message: String,
}
