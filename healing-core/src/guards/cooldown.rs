//! Cooldowns: pauses after treatments with exponential back-off and jitter, so that replicas do not act
//! at the same time. The pause after a hard heal doubles with each further hard heal. The pause after a
//! soft heal doubles with each relapse: the soft heal helped, and the symptom came back. Both return to
//! their initial length when the app has been healthy for `reset_after`. Soft heals that do not help are
//! counted by the [escalation](super::escalation) and do not lengthen the pause.

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
    /// Soft heals that helped since the last reset. Each further soft heal is for a relapse.
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
    pub(super) fn record_recovery(&mut self, action: Action) {
        if action == Action::ResetErrors {
            self.soft_recoveries = self.soft_recoveries.saturating_add(1);
        }
    }

    /// Returns `true` if the action must wait. An `independent` restart does not wait for the pause after a
    /// soft heal.
    pub(super) fn is_active(&self, action: Action, independent: bool, now: Time) -> bool {
        let before = |until: Option<Time>| until.is_some_and(|until| now < until);
        match action {
            Action::NoAction => false,
            Action::ResetErrors => before(self.soft_until) || before(self.hard_until),
            Action::RestartService => {
                before(self.hard_until) || (!independent && before(self.soft_until))
            }
        }
    }

    /// Resets the back-off, so that the next pause has its initial length.
    pub(super) fn reset(&mut self) {
        self.hard_heals = 0;
        self.soft_recoveries = 0;
    }
}

/// Returns the pause after doubling it some `times`, at most `max`.
fn doubled(pause: Duration, times: u32, max: Duration) -> Duration {
    pause.saturating_mul(1 << times.min(20)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    fn pause_after(heals: u32) -> u64 {
        let config = PermissionConfig {
            jitter: 0.0,
            ..PermissionConfig::default()
        };
        let mut cooldown = Cooldown::default();
        for _ in 0..heals {
            cooldown.start(Action::RestartService, at(0), &config, &mut Rng::new(1));
        }
        (0..)
            .find(|&s| !cooldown.is_active(Action::RestartService, true, at(s)))
            .unwrap()
    }

    #[test]
    fn hard_cooldown_doubles_up_to_its_limit() {
        assert_eq!(
            [1, 2, 3, 4, 5, 60].map(pause_after),
            [60, 120, 240, 480, 600, 600]
        );
    }

    #[test]
    fn soft_cooldown_doubles_with_each_relapse() {
        let config = PermissionConfig {
            jitter: 0.0,
            ..PermissionConfig::default()
        };
        let mut cooldown = Cooldown::default();
        let mut pause = || {
            cooldown.start(Action::ResetErrors, at(0), &config, &mut Rng::new(1));
            let end = (0..).find(|&s| !cooldown.is_active(Action::ResetErrors, false, at(s)));
            cooldown.record_recovery(Action::ResetErrors);
            end.unwrap()
        };
        assert_eq!([(); 7].map(|()| pause()), [30, 60, 120, 240, 480, 600, 600]);
        cooldown.reset();
        cooldown.start(Action::ResetErrors, at(0), &config, &mut Rng::new(1));
        assert!(!cooldown.is_active(Action::ResetErrors, false, at(30)));
    }

    #[test]
    fn restart_of_an_unresponsive_app_does_not_wait_for_a_soft_cooldown() {
        let config = PermissionConfig::default();
        let mut cooldown = Cooldown::default();
        cooldown.start(Action::ResetErrors, at(0), &config, &mut Rng::new(1));
        assert!(cooldown.is_active(Action::ResetErrors, false, at(29)));
        assert!(cooldown.is_active(Action::RestartService, false, at(29)));
        assert!(!cooldown.is_active(Action::RestartService, true, at(0)));
        assert!(
            !cooldown.is_active(Action::ResetErrors, false, at(45)),
            "jitter adds at most half"
        );
    }
}
