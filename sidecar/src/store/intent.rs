//! Intent of a hard heal: written before anything is done, settled by the next doctor.

use std::time::Duration;

use healing_core::decision::Decision;
use healing_core::health::Health;
use serde::{Deserialize, Serialize};

use crate::config::Restart;

/// Process of the app that answered.
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

/// Hard heal that was begun and is not known to have ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Intent {
    /// Instance that is to end.
    pub(crate) instance_id: Option<String>,
    /// Its process id, for operators.
    pub(crate) pid: Option<u32>,
    /// Stable code of the reason.
    pub(crate) reason: String,
    /// Set for a wedge, which is not drained.
    pub(crate) wedged: bool,
    /// Time of the intent, in milliseconds since the Unix epoch.
    pub(crate) at_unix_ms: u64,
    /// Way of the restart.
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

    /// Returns `true` if the answer is from the instance that was to end. Without an `instance_id`
    /// its uptime decides.
    pub(crate) fn targets(&self, health: &Health, wall: Duration) -> bool {
        match (&self.instance_id, &health.instance_id) {
            (Some(target), Some(answering)) => target == answering,
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
    fn intent_drains_only_before_an_exit_without_wedge() {
        let mut intent = intent(None);
        assert!(intent.may_have_drained());
        intent.wedged = true;
        assert!(!intent.may_have_drained());
        intent.wedged = false;
        intent.restart = Restart::Liveness;
        assert!(!intent.may_have_drained());
    }
}
