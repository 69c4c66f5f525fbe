//! The policy's own time: it never goes back and outlives the process.
//!
//! Within a process it follows the monotonic clock alone, so that a jump of the wall clock neither
//! ends a cooldown nor refills a budget. Only the gap between two processes is read from the wall
//! clock; one that went back counts as no gap. Hazard: a wall clock set *forward* while no policy
//! runs looks like a long gap, and the budget refills early; nothing in a process can tell.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observation::Now;

/// A moment, in milliseconds on the policy's own axis.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub(crate) struct Time(u64);

// === impl Time ===

impl Time {
    /// Where the axis begins: late enough that what lies before it can still be named.
    const ORIGIN: Self = Self(1000 * 86_400);

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn seconds_since(self, earlier: Self) -> f64 {
        self.since(earlier).as_secs_f64()
    }
}

impl std::ops::Add<Duration> for Time {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(milliseconds))
    }
}

impl std::ops::Sub<Duration> for Time {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(milliseconds))
    }
}

/// The saved reading: a moment, and what the wall clock said then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    pub(crate) time: Time,
    pub(crate) wall: Duration,
}

/// Turns the caller's clocks into the policy's time.
#[derive(Debug)]
pub(crate) struct Clock {
    /// What the axis said when this process first looked, and the monotonic clock then.
    start: Option<(Time, Duration)>,
    last: Reading,
}

// === impl Clock ===

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            start: None,
            last: Reading {
                time: Time::ORIGIN,
                wall: Duration::ZERO,
            },
        }
    }

    pub(crate) fn restore(saved: Reading, now: Now) -> Self {
        let time = saved.time + now.wall.saturating_sub(saved.wall);
        Self {
            start: Some((time, now.monotonic)),
            last: Reading {
                time,
                wall: now.wall,
            },
        }
    }

    pub(crate) fn at(&mut self, now: Now) -> Time {
        let (time, monotonic) = *self.start.get_or_insert((self.last.time, now.monotonic));
        let time = time + now.monotonic.saturating_sub(monotonic);
        self.last = Reading {
            time: time.max(self.last.time),
            wall: now.wall,
        };
        self.last.time
    }

    pub(crate) fn last(&self) -> Reading {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(monotonic: u64, wall: u64) -> Now {
        Now {
            monotonic: Duration::from_secs(monotonic),
            wall: Duration::from_secs(wall),
        }
    }

    #[test]
    fn the_wall_clock_may_jump_in_a_process() {
        let mut clock = Clock::new();
        let first = clock.at(now(100, 1_000_000));
        assert_eq!(clock.at(now(105, 5)).since(first), Duration::from_secs(5));
        let late = clock.at(now(110, 9_000_000));
        assert_eq!(late.since(first), Duration::from_secs(10));
        assert_eq!(
            clock.at(now(90, 0)),
            late,
            "even a monotonic clock that goes back does not"
        );
    }

    #[test]
    fn the_gap_between_processes_is_the_wall_clocks() {
        let mut clock = Clock::new();
        let before = clock.at(now(100, 1000));
        let saved = clock.last();
        let mut next = Clock::restore(saved, now(3, 1060));
        assert_eq!(next.at(now(4, 1061)).since(before), Duration::from_secs(61));
        let mut back = Clock::restore(saved, now(3, 900));
        assert_eq!(back.at(now(4, 901)).since(before), Duration::from_secs(1));
    }
}
