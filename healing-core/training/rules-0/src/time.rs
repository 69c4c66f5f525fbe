//! Time axis of the policy: monotonic within a process and across processes.
//!
//! Within a process it follows the monotonic clock alone, so that a jump of the wall clock neither
//! ends a cooldown nor refills a budget. Only the gap between two processes is read from the wall
//! clock; a wall clock that went back counts as no gap.
//!
//! # Hazards
//!
//! A wall clock set *forward* while no policy runs looks like a long gap, and the budget refills
//! early; nothing in a process can detect that.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observation::Now;

/// Moment on the policy's axis, in milliseconds.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub(crate) struct Time(u64);

// === impl Time ===

impl Time {
    /// Origin of the axis, late enough that moments before it can be represented.
    const ORIGIN: Self = Self(1000 * 86_400);

    /// Returns the time since `earlier`; zero if `earlier` is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Returns the time since `earlier`, in seconds.
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

/// Saved clock reading: a moment, and the wall clock at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClockReading {
    pub(crate) time: Time,
    pub(crate) wall: Duration,
}

/// Conversion of the caller's clocks to the policy's time.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Time and monotonic clock at the first reading of this process.
    start: Option<(Time, Duration)>,
    last: ClockReading,
}

// === impl Clock ===

impl Clock {
    /// Returns a clock at the origin.
    pub(crate) fn new() -> Self {
        Self {
            start: None,
            last: ClockReading {
                time: Time::ORIGIN,
                wall: Duration::ZERO,
            },
        }
    }

    /// Returns a clock that continues from a saved reading.
    pub(crate) fn restore(saved: ClockReading, now: Now) -> Self {
        let time = saved.time + now.wall.saturating_sub(saved.wall);
        Self {
            start: Some((time, now.monotonic)),
            last: ClockReading {
                time,
                wall: now.wall,
            },
        }
    }

    /// Advances to `now` and returns its time.
    pub(crate) fn at(&mut self, now: Now) -> Time {
        let (time, monotonic) = *self.start.get_or_insert((self.last.time, now.monotonic));
        let time = time + now.monotonic.saturating_sub(monotonic);
        self.last = ClockReading {
            time: time.max(self.last.time),
            wall: now.wall,
        };
        self.last.time
    }

    /// Returns the latest reading.
    pub(crate) fn last(&self) -> ClockReading {
        self.last
    }
}
