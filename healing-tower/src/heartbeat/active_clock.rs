//! Monotonic clock that does not count the time for which the process was stopped.
//!
//! A process that was stopped for a minute (a paused machine, a debugger, an exhausted CPU limit) has
//! not been stalled for a minute. The care thread advances the clock several times per second, and a late
//! advance counts as one second at most.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::lock;

/// Maximum time counted between two advances.
const MAX_STEP: Duration = Duration::from_secs(1);

/// Clock that stops while the care thread does not run.
#[derive(Debug)]
pub(super) struct ActiveClock(Mutex<Advance>);

/// Last advance of the clock.
#[derive(Debug, Clone, Copy)]
struct Advance {
    at: Instant,
    /// Active time up to `at`.
    active: Duration,
}

impl Advance {
    fn active_at(self, now: Instant) -> Duration {
        self.active + now.saturating_duration_since(self.at).min(MAX_STEP)
    }
}

impl ActiveClock {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Advance {
            at: now,
            active: Duration::ZERO,
        }))
    }

    /// Records that the care thread runs at `now`. The care thread calls this several times per second.
    pub(super) fn advance(&self, now: Instant) {
        let mut last = lock(&self.0);
        *last = Advance {
            at: now.max(last.at),
            active: last.active_at(now),
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
    fn clock_counts_at_most_one_second_between_advances() {
        let start = Instant::now();
        let clock = ActiveClock::new(start);
        let at = |millis| start + Duration::from_millis(millis);
        for step in 1..=20 {
            clock.advance(at(step * 100));
        }
        assert_eq!(clock.now(at(2050)), Duration::from_millis(2050));
        assert_eq!(
            clock.now(at(60_000)),
            Duration::from_secs(3),
            "stopped for a minute"
        );
        clock.advance(at(60_000));
        clock.advance(at(60_100));
        assert_eq!(clock.now(at(60_100)), Duration::from_millis(3100));
        clock.advance(at(1));
        assert_eq!(
            clock.now(at(60_100)),
            Duration::from_millis(3100),
            "the clock is monotonic"
        );
    }
}
