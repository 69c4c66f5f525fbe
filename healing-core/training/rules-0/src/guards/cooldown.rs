//! Cooldowns: pauses after treatments with exponential back-off and jitter, so that replicas do not act
//! in step. A hard heal's pause doubles with each further one, a soft heal's with each relapse (it
//! helped, and the symptom came back), until the app has been healthy for long. Soft heals that do not
//! help are counted by the [escalation](super::escalation) and need no longer pause.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::PermissionConfig;
use crate::decision::Action;
use crate::rng::Rng;
use crate::time::Time;

/// Pauses, and the treatments that lengthen them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Cooldown {
    soft_until: Option<Time>,
    hard_until: Option<Time>,
    /// Hard heals since the last reset.
    hard_heals: u32,
    /// Soft heals that helped since the last reset: each further one is for a relapse.
    #[serde(default)]
    soft_recoveries: u32,
}

impl Cooldown {
    /// Starts the pause of a treatment.
    pub(super) fn start(
        &mut self,
        action: Action,
        now: Time,
        config: &PermissionConfig,
        rng: &mut Rng,
    ) {
        match action {
            Action::NoAction => {}
            Action::ResetErrors => {
                let max = config.hard_cooldown_max.max(config.soft_cooldown);
                let pause = doubled(config.soft_cooldown, self.soft_recoveries, max);
                self.soft_until = Some(now + rng.jittered(pause, config.jitter));
            }
            Action::RestartService => {
                let max = config.hard_cooldown_max;
                let pause = doubled(config.hard_cooldown, self.hard_heals, max);
                self.hard_until = Some(now + rng.jittered(pause, config.jitter));
                self.hard_heals = self.hard_heals.saturating_add(1);
            }
        }
    }

    /// Records a treatment that helped.
    pub(super) fn recovered(&mut self, action: Action) {
        if action == Action::ResetErrors {
            self.soft_recoveries = self.soft_recoveries.saturating_add(1);
        }
    }

    /// Reports if the action must wait. A restart for a hang does not wait for a soft heal's pause.
    pub(super) fn holds(&self, action: Action, hang: bool, now: Time) -> bool {
        let before = |until: Option<Time>| until.is_some_and(|until| now < until);
        match action {
            Action::NoAction => false,
            Action::ResetErrors => before(self.soft_until) || before(self.hard_until),
            Action::RestartService => before(self.hard_until) || (!hang && before(self.soft_until)),
        }
    }

    /// Ends the back-off: the next pause has its initial length.
    pub(super) fn reset(&mut self) {
        self.hard_heals = 0;
        self.soft_recoveries = 0;
    }
}

fn doubled(pause: Duration, times: u32, max: Duration) -> Duration {
    pause.saturating_mul(1 << times.min(20)).min(max)
}
