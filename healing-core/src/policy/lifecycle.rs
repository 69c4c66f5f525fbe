//! Lifecycle of an instance, as the app declares it: starting, ready, draining.

use std::time::Duration;

use crate::health::Health;
use crate::time::Time;

/// Declarations of the known instance. They end with it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lifecycle {
    has_been_ready: bool,
    /// Set if the app declares that it is still starting.
    starting: bool,
    /// Time until which the app counts as draining or condemned.
    draining_until: Option<Time>,
}

/// Time after the latest report of a drain at which it counts as over: twice the lease of a drain.
const DRAIN_EXPIRY: Duration = Duration::from_secs(60);

// === impl Lifecycle ===

impl Lifecycle {
    /// Adds a report.
    pub(super) fn observe(&mut self, now: Time, health: &Health) {
        self.has_been_ready |= health.started != Some(false) && !health.starting;
        self.starting = health.starting;
        self.draining_until = None;
        self.observe_drain(now, health);
    }

    /// Adds a report of which only a drain counts.
    pub(super) fn observe_drain(&mut self, now: Time, health: &Health) {
        if health.draining || health.condemned {
            self.draining_until = Some(now + DRAIN_EXPIRY);
        }
    }

    /// Returns `true` if the instance has been ready, and does not declare that it is starting.
    pub(super) fn has_started(&self) -> bool {
        self.has_been_ready && !self.starting
    }

    /// Returns `true` if the latest report says that the app drains or is condemned, and is not too old.
    pub(super) fn is_draining(&self, now: Time) -> bool {
        self.draining_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn app_that_declares_to_be_starting_has_not_started() {
        let mut lifecycle = Lifecycle::default();
        for (started, starting, expected) in [
            (Some(false), false, false),
            (Some(true), true, false),
            (Some(true), false, true),
            (Some(true), true, false),
            (None, false, true),
        ] {
            let health = Health {
                started,
                starting,
                ..Health::default()
            };
            lifecycle.observe(at(0), &health);
            assert_eq!(lifecycle.has_started(), expected);
        }
    }

    #[test]
    fn drain_ends_with_a_report_or_a_minute_after_the_last_one() {
        let mut lifecycle = Lifecycle::default();
        let draining = Health {
            draining: true,
            ..Health::default()
        };
        lifecycle.observe(at(0), &draining);
        assert!(lifecycle.is_draining(at(59)) && !lifecycle.is_draining(at(60)));
        lifecycle.observe(at(5), &Health::default());
        assert!(!lifecycle.is_draining(at(5)));
    }
}
