//! Resolved settings of one instance, and the errors of those that cannot be used.

use std::net::SocketAddr;
use std::time::Duration;

use crate::token_file::{TokenFile, TokenFileError};

/// Default address of the care port.
pub(crate) const DEFAULT_CARE_BIND: &str = "127.0.0.1:5002";

/// Settings that take effect even if the care thread cannot be started.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Name of the app.
    pub(crate) name: String,
    /// Version of the app.
    pub(crate) version: Option<String>,
    pub(crate) timing: Timing,
    pub(crate) token_file: Option<TokenFile>,
    /// Header rule of `POST /heal` on the app's own router; absent if that has no `/heal`.
    pub(crate) heal_on_app: Option<HeaderRule>,
    /// Paths on the app's own router that are left to the app.
    pub(crate) omitted: Vec<String>,
}

/// Settings of the care thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CareSettings {
    pub(crate) bind: SocketAddr,
    pub(crate) handle_sigterm: bool,
}

/// Time limits; see the builder's methods of the same names.
#[derive(Debug, Clone)]
pub(crate) struct Timing {
    pub(crate) stall_after: Duration,
    pub(crate) lame_duck: Duration,
    pub(crate) drain_deadline: Duration,
    pub(crate) condemned_wait: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            stall_after: Duration::from_secs(10),
            lame_duck: Duration::from_secs(3),
            drain_deadline: Duration::from_secs(20),
            condemned_wait: Duration::from_secs(10),
        }
    }
}

/// Rule for the header `X-Healing: 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderRule {
    Required,
    Waived,
}

/// Error of an invalid setting.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// `HEALING_CARE_BIND` is not an address with a port.
    #[error("HEALING_CARE_BIND is {value:?}; set it to ADDRESS:PORT, such as {DEFAULT_CARE_BIND}")]
    CareBind { value: String },
    /// Two recovery hooks have the same name.
    #[error("two recovery hooks are named {0:?}; give each its own name")]
    DuplicateHook(String),
    /// Two checks have the same name.
    #[error("two checks are named {0:?}; give each its own name")]
    DuplicateCheck(String),
    /// The token file is unusable.
    #[error(transparent)]
    TokenFile(#[from] TokenFileError),
}
