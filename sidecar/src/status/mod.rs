//! Status of the doctor, served on port 5001.
//!
//! `/healthz` and `/metrics` serve every client. `/status` and `/decisions` contain the app's own
//! report, and serve only the loopback interface, which `kubectl port-forward` uses.

mod listener;
pub(crate) mod metrics;
mod model_status;
mod server;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use healing_core::impairment::Assessment;
use healing_core::observation::{Mode, PortSockets};
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::metrics::Metrics;
use self::model_status::ModelStatus;
pub(crate) use self::server::serve;

use crate::heartbeat::Heartbeat;

/// State that the control loop writes and the server reads.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) metrics: Metrics,
    pub(crate) heartbeat: Heartbeat,
    /// Age of the heartbeat above which the control loop counts as blocked.
    pub(crate) watchdog_timeout: Duration,
    view: Mutex<View>,
}

/// Status page: the state of the doctor, for operators and `healing status`.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct View {
    pub(crate) mode: &'static str,
    pub(crate) config_errors: Vec<String>,
    pub(crate) proposer: String,
    pub(crate) paused: Option<String>,
    pub(crate) state_writable: bool,
    pub(crate) instance_id: Option<String>,
    pub(crate) app_status: Option<Value>,
    pub(crate) lane: Option<&'static str>,
    pub(crate) budget_remaining: Option<u32>,
    /// Sockets of the app's port at the last poll.
    pub(crate) sockets: Option<PortSockets>,
    /// Impairment at the last poll; `None` if the app did not report.
    pub(crate) impairment: Option<Assessment>,
    /// Reason why the sockets cannot be read.
    pub(crate) sockets_unreadable: Option<String>,
    /// Votes of the model; `None` if the rules are configured, and before the first poll.
    pub(crate) model: Option<ModelStatus>,
    /// Last recorded decision, in one sentence.
    pub(crate) last_decision: Option<String>,
    /// Last decision with a proposal.
    pub(crate) last_remarkable: Option<Value>,
    #[serde(skip)]
    pub(crate) recent: Vec<Arc<str>>,
}

impl Shared {
    pub(crate) fn new(metrics: Metrics, heartbeat: Heartbeat, watchdog_timeout: Duration) -> Self {
        Self {
            metrics,
            heartbeat,
            watchdog_timeout,
            view: Mutex::default(),
        }
    }

    /// Locks the status page. After a panic while it was locked, it is at worst out of date.
    pub(crate) fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the name of a mode, as in the settings.
pub(crate) fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Enforce => "enforce",
    }
}
