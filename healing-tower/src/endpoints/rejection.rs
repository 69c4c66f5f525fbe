//! Rejections of `POST /heal`: status, stable error code, and a message that says what is accepted.

use std::time::Duration;

use healing_wire::heal::{HealAction, HealError};
use http::StatusCode;

use super::access::Denied;
use super::response::{EndpointResponse, json};
use crate::hooks::AlreadyHealing;

/// Upper bound of a request's body: it is one short JSON object.
pub(super) const MAX_BODY_BYTES: usize = 4096;

/// Reason for which a heal request was not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Rejection {
    #[error("the body is larger than {MAX_BODY_BYTES} bytes")]
    TooLarge,
    #[error("{0}; send {{\"action\": ACTION}} with one of: {actions}", actions = known_actions())]
    Malformed(#[from] MalformedBody),
    #[error("unknown action {0:?}; known are: {actions}", actions = known_actions())]
    UnknownAction(String),
    #[error("not allowed: {0}")]
    Forbidden(#[from] Denied),
    #[error(transparent)]
    AlreadyHealing(#[from] AlreadyHealing),
    #[error("restart_service was accepted before; this instance is shutting down")]
    AlreadyCondemned,
    #[error(
        "the app's runtime makes no progress, so no recovery hook can run; restart_service works"
    )]
    RuntimeStalled,
    #[error("the care thread, which ends the process, is not running; call serve or start_care")]
    CareNotStarted,
    #[error("the soft heal's task failed: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// Defect of a request's body.
#[derive(Debug, thiserror::Error)]
pub(super) enum MalformedBody {
    #[error("the body did not arrive within {0:?}")]
    Timeout(Duration),
    #[error("the body could not be read: {0}")]
    Unreadable(Box<dyn std::error::Error + Send + Sync>),
    #[error("the body is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    #[error("the body has no text \"action\"")]
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
