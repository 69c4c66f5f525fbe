//! Intent of a hard heal, written before the app is touched and resolved by the next doctor.

use std::time::Duration;

use healing_core::decision::Decision;
use healing_core::health::Health;
use serde::{Deserialize, Serialize};

use crate::config::Restart;

/// Identity of the app's process, as its report has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) instance_id: Option<String>,
    pub(crate) pid: Option<u32>,
}

impl Identity {
    pub(crate) fn of(health: &Health) -> Self {
        Self {
            instance_id: health.instance_id.clone(),
            pid: health.pid,
        }
    }
}

/// Hard heal that was begun and whose result is not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Intent {
    /// Instance to be restarted.
    pub(crate) instance_id: Option<String>,
    /// Process id of the instance, for operators.
    pub(crate) pid: Option<u32>,
    /// Stable code of the reason.
    pub(crate) reason: String,
    /// Set if the app makes no progress and is therefore not drained.
    pub(crate) wedged: bool,
    /// Time of the intent, in milliseconds since the Unix epoch.
    pub(crate) at_unix_ms: u64,
    /// Mechanism of the restart.
    #[serde(default)]
    pub(crate) restart: Restart,
}

impl Intent {
    pub(crate) fn new(
        target: &Identity,
        decision: &Decision,
        restart: Restart,
        wall: Duration,
    ) -> Self {
        Self {
            instance_id: target.instance_id.clone(),
            pid: target.pid,
            reason: decision.reason.as_str().to_owned(),
            wedged: decision.wedged,
            at_unix_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
            restart,
        }
    }

    /// Returns `true` if the doctor may have drained the app.
    pub(crate) fn may_have_drained(&self) -> bool {
        !self.wedged && self.restart == Restart::Exit
    }

    /// Returns `true` if the report is from the instance to be restarted. Without an `instance_id`
    /// the uptime decides.
    pub(crate) fn targets(&self, health: &Health, wall: Duration) -> bool {
        match (&self.instance_id, &health.instance_id) {
            (Some(target), Some(reporting)) => target == reporting,
            _ => {
                let since = wall.saturating_sub(Duration::from_millis(self.at_unix_ms));
                health.uptime >= since.as_secs_f64()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(instance_id: Option<&str>) -> Intent {
        Intent {
            instance_id: instance_id.map(str::to_owned),
            pid: None,
            reason: "runtime_stalled".to_owned(),
            wedged: false,
            at_unix_ms: 100_000,
            restart: Restart::Exit,
        }
    }

    #[test]
    fn intent_targets_instance_by_id() {
        let wall = Duration::from_secs(110);
        let mut health = Health {
            instance_id: Some("a".to_owned()),
            uptime: 1.0,
            ..Health::default()
        };
        assert!(intent(Some("a")).targets(&health, wall));
        health.uptime = 1000.0;
        assert!(!intent(Some("b")).targets(&health, wall));
    }

    #[test]
    fn intent_targets_older_instance_without_id() {
        let wall = Duration::from_secs(110);
        let mut health = Health {
            uptime: 11.0,
            ..Health::default()
        };
        assert!(intent(Some("a")).targets(&health, wall));
        health.uptime = 9.0;
        assert!(!intent(None).targets(&health, wall));
    }

    #[test]
    fn intent_may_have_drained_only_before_exit_of_app_with_progress() {
        let mut intent = intent(None);
        assert!(intent.may_have_drained());
        intent.wedged = true;
        assert!(!intent.may_have_drained());
        intent.wedged = false;
        intent.restart = Restart::Liveness;
        assert!(!intent.may_have_drained());
    }
}
