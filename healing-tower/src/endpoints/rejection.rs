//! Rejections of `POST /heal`: status, stable error code, and a message that states what is accepted.

use std::time::Duration;

use healing_wire::heal::{HealAction, HealError};
use http::StatusCode;

use super::access::Denied;
use super::response::{EndpointResponse, json};
use crate::hooks::AlreadyHealing;

/// Maximum size of a request's body, in bytes; a body is one short JSON object.
pub(super) const MAX_BODY_BYTES: usize = 4096;

/// Reason for rejecting a heal request.
#[derive(Debug, thiserror::Error)]
pub(super) enum Rejection {
    /// The body exceeds [`MAX_BODY_BYTES`].
    #[error("the body is larger than {MAX_BODY_BYTES} bytes")]
    TooLarge,
    /// The body is not the expected JSON.
    #[error("{0}; send {{\"action\": ACTION}} with one of: {actions}", actions = known_actions())]
    Malformed(#[from] MalformedBody),
    /// The action, truncated, is not a [`HealAction`].
    #[error("unknown action {0:?}; send one of: {actions}", actions = known_actions())]
    UnknownAction(String),
    /// The caller is not allowed to heal.
    #[error("not allowed: {0}")]
    Forbidden(#[from] Denied),
    /// Another soft heal is running.
    #[error(transparent)]
    AlreadyHealing(#[from] AlreadyHealing),
    /// The instance is condemned already.
    #[error("restart_service was accepted before; this instance is shutting down")]
    AlreadyCondemned,
    /// No hook can run while the app's runtime is stalled.
    #[error(
        "the app's runtime is stalled, so no recovery hook can run; restart_service is possible"
    )]
    RuntimeStalled,
    /// Nothing can exit the process without the care thread.
    #[error("the care thread, which exits the process, is not running; call serve or start_care")]
    CareNotStarted,
    /// The task of the soft heal panicked or was cancelled.
    #[error("the soft heal's task failed: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// Reason for rejecting a request's body.
#[derive(Debug, thiserror::Error)]
pub(super) enum MalformedBody {
    /// The body was not received in time.
    #[error("the body did not arrive within {0:?}")]
    Timeout(Duration),
    /// The connection failed while the body was read.
    #[error("the body could not be read: {0}")]
    Unreadable(Box<dyn std::error::Error + Send + Sync>),
    /// The body does not parse as JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// The JSON has no field `action` with a string.
    #[error("the body has no string field \"action\"")]
    NoAction,
}

fn known_actions() -> String {
    HealAction::ALL.map(HealAction::as_str).join(", ")
}

impl Rejection {
    pub(super) fn into_response(self) -> EndpointResponse {
        let (code, error) = match &self {
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::UnknownAction(_) => (StatusCode::BAD_REQUEST, "unknown_action"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::AlreadyHealing(_) | Self::AlreadyCondemned => {
                (StatusCode::CONFLICT, "already_healing")
            }
            Self::RuntimeStalled => (StatusCode::SERVICE_UNAVAILABLE, "runtime_stalled"),
            Self::CareNotStarted => (StatusCode::SERVICE_UNAVAILABLE, "care_not_started"),
            Self::Broken(_) => (StatusCode::INTERNAL_SERVER_ERROR, "broken"),
        };
        let body = HealError {
            error: error.to_owned(),
            message: self.to_string(),
        };
        json(code, &body)
    }
}
