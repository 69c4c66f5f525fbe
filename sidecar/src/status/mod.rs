//! What the doctor says of itself, on port 5001.
//!
//! `/healthz` and `/metrics` answer anyone who can reach the port. `/status` and `/decisions` show
//! what the app reports of itself, and answer only on the loopback interface (`kubectl
//! port-forward` arrives there).

mod listener;
pub(crate) mod metrics;
mod server;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

pub(crate) use self::metrics::Metrics;
pub(crate) use self::server::serve;

use crate::doctor::watchdog::Heartbeat;

/// What the loop writes and the server reads.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) metrics: Metrics,
    pub(crate) heartbeat: Heartbeat,
    /// The loop is taken to hang when it has not beaten for this long.
    pub(crate) patience: Duration,
    view: Mutex<View>,
}

/// The present state, for people and `healing status`.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct View {
    pub(crate) mode: &'static str,
    pub(crate) config_errors: Vec<String>,
    pub(crate) brain: String,
    pub(crate) paused: Option<String>,
    pub(crate) state_writable: bool,
    pub(crate) instance_id: Option<String>,
    pub(crate) app_status: Option<Value>,
    pub(crate) lane: Option<&'static str>,
    pub(crate) budget_remaining: Option<u32>,
    /// The last decision in one sentence.
    pub(crate) last_decision: Option<String>,
    /// The last decision that was not plain quiet.
    pub(crate) last_remarkable: Option<Value>,
    #[serde(skip)]
    pub(crate) recent: Vec<Arc<str>>,
}

impl Shared {
    pub(crate) fn new(metrics: Metrics, heartbeat: Heartbeat, patience: Duration) -> Self {
        Self {
            metrics,
            heartbeat,
            patience,
            view: Mutex::default(),
        }
    }

    /// A panic while it was held leaves a view that is at worst out of date.
    pub(crate) fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
