//! Time as the care thread has lived it.
//!
//! A process that was stopped for a minute (a paused machine, a debugger, a CPU limit used up) has
//! not been hanging for a minute: nobody was awake to see. So silence is measured on a clock that
//! the care thread's own turns drive, and a turn that comes late counts as one second at most.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most that passes between two turns.
const MOST: Duration = Duration::from_secs(1);

/// A clock that stands still while the care thread does.
#[derive(Debug)]
pub(super) struct AwakeClock(Mutex<Turn>);

#[derive(Debug, Clone, Copy)]
struct Turn {
    at: Instant,
    lived: Duration,
}

impl Turn {
    fn lived(self, now: Instant) -> Duration {
        self.lived + now.saturating_duration_since(self.at).min(MOST)
    }
}

impl AwakeClock {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Turn {
            at: now,
            lived: Duration::ZERO,
        }))
    }

    /// The care thread is awake now; to be called several times a second.
    pub(super) fn turn(&self, now: Instant) {
        let mut turn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *turn = Turn {
            at: now.max(turn.at),
            lived: turn.lived(now),
        };
    }

    /// Time lived by then.
    pub(super) fn at(&self, now: Instant) -> Duration {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .lived(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_saw_did_not_last() {
        let start = Instant::now();
        let clock = AwakeClock::new(start);
        let at = |millis| start + Duration::from_millis(millis);
        for turn in 1..=20 {
            clock.turn(at(turn * 100));
        }
        assert_eq!(clock.at(at(2050)), Duration::from_millis(2050));
        assert_eq!(
            clock.at(at(60_000)),
            Duration::from_secs(3),
            "asleep for a minute"
        );
        clock.turn(at(60_000));
        clock.turn(at(60_100));
        assert_eq!(clock.at(at(60_100)), Duration::from_millis(3100));
        clock.turn(at(1));
        assert_eq!(
            clock.at(at(60_100)),
            Duration::from_millis(3100),
            "never back"
        );
    }
}
