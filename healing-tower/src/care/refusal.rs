//! The refusals of `POST /heal`: what was wrong, and what would be right.

use healing_core::health::{HealAction, HealError};
use http::StatusCode;

use crate::care::access::Denied;
use crate::care::heal::MOST_BODY_BYTES;
use crate::endpoints::{Answer, json};

/// Why nothing was done.
#[derive(Debug)]
pub(super) enum Refusal {
    TooLarge,
    Malformed(String),
    UnknownAction(String),
    Forbidden(Denied),
    AlreadyHealing(&'static str),
    RuntimeStalled,
    CareNotStarted,
    Broken(String),
}

impl Refusal {
    pub(super) fn answer(self) -> Answer {
        let known = || HealAction::ALL.map(HealAction::as_str).join(", ");
        let (code, error, message) = match self {
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("the body is larger than {MOST_BODY_BYTES} bytes"),
            ),
            Self::Malformed(what) => (
                StatusCode::BAD_REQUEST,
                "malformed",
                format!("{what}; send {{\"action\": ACTION}} with one of: {}", known()),
            ),
            Self::UnknownAction(action) => (
                StatusCode::BAD_REQUEST,
                "unknown_action",
                format!("unknown action {action:?}; known are: {}", known()),
            ),
            Self::Forbidden(Denied(why)) => {
                (StatusCode::FORBIDDEN, "forbidden", format!("not allowed: {why}"))
            }
            Self::AlreadyHealing(what) => (StatusCode::CONFLICT, "already_healing", what.to_owned()),
            Self::RuntimeStalled => (
                StatusCode::SERVICE_UNAVAILABLE,
                "runtime_stalled",
                "the app's runtime makes no progress, so no recovery hook can run; restart_service \
                 works"
                    .to_owned(),
            ),
            Self::CareNotStarted => (
                StatusCode::SERVICE_UNAVAILABLE,
                "care_not_started",
                "nobody is there to end the process; call serve or start_care".to_owned(),
            ),
            Self::Broken(what) => (StatusCode::INTERNAL_SERVER_ERROR, "broken", what),
        };
        json(
            code,
            &HealError {
                error: error.to_owned(),
                message,
            },
        )
    }
}
