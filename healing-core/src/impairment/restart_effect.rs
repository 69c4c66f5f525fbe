//! Effect of a restart: one that did not help is not repeated.
//!
//! Some faults look the same whether a restart ends them or not (a slow dependency that nobody declared, a
//! fault in the data). The outcome of the first restart is then the only thing that tells.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Time of serving after which the effect is judged, in windows: the first has the cold start.
const JUDGED_AFTER: u32 = 2;

/// Impairment after the restart, in multiples of that before, from which the restart did not help.
const STILL_IMPAIRED: f64 = 0.5;

/// Time for which a restart that did not help is not repeated.
const PAUSE: Duration = Duration::from_secs(3600);

/// Time after which a restart that no new instance followed is forgotten.
const NEVER_STARTED: Duration = Duration::from_secs(600);

/// Restart for an impairment, until its effect no longer matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RestartEffect {
    /// No restart, or one that helped.
    #[default]
    None,
    /// A restart whose new instance has not served yet.
    Restarting { before: f64, at: Time },
    /// A restart whose effect is not known yet.
    Judging { before: f64, serving_since: Time },
    /// A restart that did not help.
    Failed { at: Time },
}

// === impl RestartEffect ===

impl RestartEffect {
    /// Records a restart at this impairment.
    pub(super) fn on_restart(&mut self, now: Time, before: f64) {
        *self = Self::Restarting { before, at: now };
    }

    /// Records the start of a new instance.
    pub(super) fn on_app_start(&mut self, now: Time) {
        if let Self::Restarting { before, .. } = *self {
            *self = Self::Judging {
                before,
                serving_since: now,
            };
        }
    }

    /// Records that the instance does not serve yet.
    pub(super) fn on_starting(&mut self, now: Time) {
        if let Self::Judging { serving_since, .. } = self {
            *serving_since = now;
        }
    }

    /// Adds a poll. `impairment`, over a `window`, is absent if it cannot be judged; `recovered` is set once
    /// the app has been unimpaired for long.
    pub(super) fn observe(
        &mut self,
        now: Time,
        impairment: Option<f64>,
        window: Duration,
        recovered: bool,
    ) {
        *self = match *self {
            Self::Restarting { at, .. } if now.since(at) >= NEVER_STARTED => Self::None,
            Self::Judging {
                before,
                serving_since,
            } if now.since(serving_since) >= JUDGED_AFTER * window => {
                if impairment.is_some_and(|after| after >= STILL_IMPAIRED * before) {
                    Self::Failed { at: now }
                } else {
                    Self::None
                }
            }
            Self::Failed { at } if recovered || now.since(at) >= PAUSE => Self::None,
            unchanged => unchanged,
        };
    }

    /// Returns `true` while the effect of a restart is not known yet.
    pub(super) fn is_pending(&self) -> bool {
        matches!(self, Self::Restarting { .. } | Self::Judging { .. })
    }

    /// Returns `true` while a restart must not be repeated.
    pub(super) fn forbids_restart(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(30);

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    /// Returns the effect of a restart at impairment 0.8, with this one after it.
    fn judged(after: Option<f64>) -> RestartEffect {
        let mut effect = RestartEffect::default();
        effect.on_restart(at(0), 0.8);
        effect.observe(at(5), Some(1.0), WINDOW, false);
        effect.on_app_start(at(7));
        effect.on_starting(at(10));
        effect.observe(at(69), after, WINDOW, false);
        assert!(effect.is_pending());
        effect.observe(at(70), after, WINDOW, false);
        assert!(!effect.is_pending());
        effect
    }

    #[test]
    fn restart_helps_if_it_halves_the_impairment() {
        assert!(judged(Some(0.4)).forbids_restart());
        assert!(!judged(Some(0.39)).forbids_restart());
        assert!(!judged(None).forbids_restart());
    }

    #[test]
    fn failed_restart_is_forbidden_for_an_hour_or_until_recovery() {
        let mut effect = judged(Some(0.8));
        effect.observe(at(70 + 3599), Some(0.8), WINDOW, false);
        assert!(effect.forbids_restart());
        let mut recovered = effect;
        recovered.observe(at(70 + 3599), Some(0.0), WINDOW, true);
        assert!(!recovered.forbids_restart());
        effect.observe(at(70 + 3600), Some(0.8), WINDOW, false);
        assert!(!effect.forbids_restart());
    }

    #[test]
    fn restart_without_a_new_instance_is_forgotten() {
        let mut effect = RestartEffect::default();
        effect.on_restart(at(0), 0.8);
        effect.observe(at(599), Some(0.8), WINDOW, false);
        assert!(effect.is_pending());
        effect.observe(at(600), Some(0.8), WINDOW, false);
        assert_eq!(effect, RestartEffect::None);
    }
}
