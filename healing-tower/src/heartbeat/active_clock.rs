//! Monotonic clock that does not count the time for which the process was stopped.
//!
//! A process that was stopped for a minute (a paused machine, a debugger, an exhausted CPU limit) has
//! not been unresponsive for a minute. The clock is driven by the care thread's ticks, and a late tick
//! counts as one second at most.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::lock;

/// Upper bound of the time counted between two ticks.
const MAX_STEP: Duration = Duration::from_secs(1);

/// Clock that stops while the care thread does not run.
#[derive(Debug)]
pub(super) struct ActiveClock(Mutex<Tick>);

#[derive(Debug, Clone, Copy)]
struct Tick {
    at: Instant,
    /// Active time up to `at`.
    active: Duration,
}

impl Tick {
    fn active_at(self, now: Instant) -> Duration {
        self.active + now.saturating_duration_since(self.at).min(MAX_STEP)
    }
}

impl ActiveClock {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Tick {
            at: now,
            active: Duration::ZERO,
        }))
    }

    /// Records that the care thread runs at `now`; to be called several times a second.
    pub(super) fn tick(&self, now: Instant) {
        let mut tick = lock(&self.0);
        *tick = Tick {
            at: now.max(tick.at),
            active: tick.active_at(now),
        };
    }

    /// Returns the active time at `now`.
    pub(super) fn now(&self, now: Instant) -> Duration {
        lock(&self.0).active_at(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_counts_at_most_one_second_between_ticks() {
        let start = Instant::now();
        let clock = ActiveClock::new(start);
        let at = |millis| start + Duration::from_millis(millis);
        for tick in 1..=20 {
            clock.tick(at(tick * 100));
        }
        assert_eq!(clock.now(at(2050)), Duration::from_millis(2050));
        assert_eq!(
            clock.now(at(60_000)),
            Duration::from_secs(3),
            "stopped for a minute"
        );
        clock.tick(at(60_000));
        clock.tick(at(60_100));
        assert_eq!(clock.now(at(60_100)), Duration::from_millis(3100));
        clock.tick(at(1));
        assert_eq!(
            clock.now(at(60_100)),
            Duration::from_millis(3100),
            "the clock never goes back"
        );
    }
}
