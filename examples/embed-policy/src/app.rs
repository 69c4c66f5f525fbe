//! Scripted app, with the figures that a real app would report.

use std::time::Duration;

use healing_core::health::{Health, Runtime, Totals};
use healing_core::observation::{Circumstances, Mode, Observation, ProbeResult};

/// Requests per second.
const RATE: f64 = 50.0;
/// Time at which the cache is poisoned. From then on a quarter of the requests fails until a soft heal.
const POISONED_AT: Duration = Duration::from_secs(5 * 60);
/// Time at which the runtime stalls. From then on probes time out until a restart.
const WEDGED_AT: Duration = Duration::from_secs(15 * 60);
/// Duration of a successful probe.
const PROBE: Duration = Duration::from_millis(1);

/// Scripted app.
#[derive(Debug)]
pub(crate) struct ScriptedApp {
    instance: u32,
    started_at: Duration,
    requests: f64,
    errors: f64,
    poisoned: bool,
    wedged: bool,
    at: Duration,
}

impl ScriptedApp {
    pub(crate) fn start() -> Self {
        Self {
            instance: 1,
            started_at: Duration::ZERO,
            requests: 0.0,
            errors: 0.0,
            poisoned: false,
            wedged: false,
            at: Duration::ZERO,
        }
    }

    /// Advances the app to `time`.
    pub(crate) fn advance(&mut self, time: Duration) {
        let entered = |moment| self.at < moment && moment <= time;
        self.poisoned |= entered(POISONED_AT);
        self.wedged |= entered(WEDGED_AT);
        let arrived = if self.wedged {
            0.0
        } else {
            RATE * (time - self.at).as_secs_f64()
        };
        self.requests += arrived;
        self.errors += if self.poisoned { arrived / 4.0 } else { 0.0 };
        self.at = time;
    }

    /// Returns one observation: the results of both probes, and the circumstances that the embedder knows.
    pub(crate) fn observe(&self) -> Observation {
        let care = ProbeResult::Valid(self.health(), PROBE);
        let front_door = if self.wedged {
            ProbeResult::TimedOut
        } else {
            ProbeResult::Valid((), PROBE)
        };
        let circumstances = Circumstances {
            mode: Mode::Enforce,
            ..Circumstances::default()
        };
        Observation {
            sockets: None,
            care,
            front_door,
            circumstances,
        }
    }

    /// Drops the cache, as the hook of a soft heal would.
    pub(crate) fn reset_errors(&mut self) {
        self.poisoned = false;
    }

    /// Restarts the app as a new instance.
    pub(crate) fn restart(&mut self) {
        *self = Self {
            instance: self.instance + 1,
            started_at: self.at,
            at: self.at,
            ..Self::start()
        };
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small counts above 0
    fn health(&self) -> Health {
        Health {
            uptime: (self.at - self.started_at).as_secs_f64(),
            instance_id: Some(format!("instance-{}", self.instance)),
            started: Some(true),
            error_count: self.errors as u64,
            totals: Totals {
                requests_total: Some(self.requests as u64),
                errors_total: Some(self.errors as u64),
                ..Totals::default()
            },
            runtime: Some(Runtime {
                tick_age_seconds: if self.wedged { 15.0 } else { 0.01 },
                lag_seconds: 0.001,
                stalled: self.wedged,
                stall_after_seconds: None,
                workers: None,
            }),
            ..Health::default()
        }
    }
}
