//! Availability of an instance: it has served requests well for some time since it started, like a
//! pod that is *Available* by `minReadySeconds`. A version that never worked (a bad rollout) will not
//! work after a restart. Roll it back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ErrorSignal;
use crate::config::OutcomeConfig;
use crate::time::Time;
use crate::window::Delta;

/// Availability of one instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Availability {
    available: bool,
    serving_since: Option<Time>,
}

impl Availability {
    /// Records the first poll of an instance by this process. An instance as old as `reset_after`
    /// counts as available. Saved availability is kept.
    pub(crate) fn on_first_poll(&mut self, uptime: Duration, config: &OutcomeConfig) {
        self.available |= uptime >= config.reset_after;
        self.serving_since = None;
    }

    /// Adds a poll. An instance becomes available when it has served well for `outcome.probation`.
    pub(crate) fn observe(&mut self, now: Time, is_serving: bool, config: &OutcomeConfig) {
        if self.available {
            return;
        }
        if !is_serving {
            self.serving_since = None;
            return;
        }
        let since = *self.serving_since.get_or_insert(now);
        self.available = now.since(since) >= config.probation;
    }

    /// Returns `true` if the instance has been available at some point since it started.
    pub(crate) fn is_available(&self) -> bool {
        self.available
    }
}

/// Returns `true` if the app served requests and few failed. If requests are not counted, none may
/// have failed.
pub(crate) fn is_serving(slow: Option<&Delta>, errors: ErrorSignal, max_share: f64) -> bool {
    !errors.is_present()
        && slow.is_some_and(|delta| match delta.requests {
            Some(0) => false,
            Some(_) => delta
                .ratio(delta.errors)
                .is_some_and(|share| share < max_share),
            None => delta.errors == Some(0),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    fn available_at(uptime: u64, is_serving: impl Fn(u64) -> bool) -> Option<u64> {
        let config = OutcomeConfig::default();
        let mut availability = Availability::default();
        availability.on_first_poll(Duration::from_secs(uptime), &config);
        (0..600).step_by(5).find(|&seconds| {
            availability.observe(at(seconds), is_serving(seconds), &config);
            availability.is_available()
        })
    }

    #[test]
    fn instance_becomes_available_after_serving_well_for_30_seconds() {
        assert_eq!(available_at(1, |_| true), Some(30));
        assert_eq!(
            available_at(1, |seconds| seconds % 20 != 0),
            None,
            "with interruptions"
        );
        assert_eq!(available_at(1, |_| false), None);
    }

    #[test]
    fn old_instance_counts_as_available() {
        assert_eq!(available_at(600, |_| false), Some(0));
        assert_eq!(available_at(599, |_| false), None);
    }
}
