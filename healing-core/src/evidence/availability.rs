//! Has this instance worked since its start? A version that fails from its first second will not work
//! by another start of the same: that is a bad rollout, whose cure is a rollback.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Signs;
use crate::config::OutcomeConfig;
use crate::time::Time;
use crate::window::Delta;

/// What is known of one instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Availability {
    has: bool,
    well_since: Option<Time>,
}

impl Availability {
    /// An instance is seen for the first time. One that is as old as health takes to be proven has
    /// worked, by all that can be known; what was known of it before is kept.
    pub(crate) fn first_seen(&mut self, uptime: Duration, config: &OutcomeConfig) {
        self.has |= uptime >= config.reset_after;
        self.well_since = None;
    }

    /// Takes in a poll: has it served well for as long as a treated app must?
    pub(crate) fn observe(&mut self, now: Time, well: bool, config: &OutcomeConfig) {
        if self.has {
            return;
        }
        if !well {
            self.well_since = None;
            return;
        }
        let since = *self.well_since.get_or_insert(now);
        self.has = now.since(since) >= config.probation;
    }

    pub(crate) fn is_available(&self) -> bool {
        self.has
    }
}

/// It served requests, and few failed. Where requests are not counted, nothing failed.
pub(crate) fn serves_well(slow: Option<&Delta>, signs: Signs, most_errors: f64) -> bool {
    !signs.any()
        && slow.is_some_and(|delta| match delta.requests {
            Some(0) => false,
            Some(_) => delta
                .ratio(delta.errors)
                .is_some_and(|share| share < most_errors),
            None => delta.errors == Some(0),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    fn worked_at(uptime: u64, well: impl Fn(u64) -> bool) -> Option<u64> {
        let config = OutcomeConfig::default();
        let mut availability = Availability::default();
        availability.first_seen(Duration::from_secs(uptime), &config);
        (0..600).step_by(5).find(|&seconds| {
            availability.observe(at(seconds), well(seconds), &config);
            availability.is_available()
        })
    }

    #[test]
    fn half_a_minute_of_good_service_is_proof() {
        assert_eq!(worked_at(1, |_| true), Some(30));
        assert_eq!(
            worked_at(1, |seconds| seconds % 20 != 0),
            None,
            "not in one piece"
        );
        assert_eq!(worked_at(1, |_| false), None);
    }

    #[test]
    fn an_old_instance_must_have_worked() {
        assert_eq!(worked_at(600, |_| false), Some(0));
        assert_eq!(worked_at(599, |_| false), None);
    }
}
