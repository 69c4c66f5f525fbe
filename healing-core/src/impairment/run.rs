//! Run of polls with a condition: how long it has held without interruption.

use std::time::Duration;

use crate::time::Time;

/// Polls that a run needs besides its time: one poll may be an artefact.
const MIN_POLLS: u32 = 2;

/// Uninterrupted run of polls with a condition.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Run {
    since: Option<Time>,
    last: Option<Time>,
    polls: u32,
}

// === impl Run ===

impl Run {
    /// Adds a poll. One without the condition ends the run.
    pub(super) fn observe(&mut self, now: Time, holds: bool) {
        if !holds {
            *self = Self::default();
            return;
        }
        self.since.get_or_insert(now);
        self.last = Some(now);
        self.polls = self.polls.saturating_add(1);
    }

    /// Returns `true` if the run has lasted for this time.
    pub(super) fn has_lasted(&self, time: Duration) -> bool {
        self.polls >= MIN_POLLS && self.duration().is_some_and(|duration| duration >= time)
    }

    /// Returns the time from the first to the last poll of the run. `None` if there is no run.
    pub(super) fn duration(&self) -> Option<Duration> {
        Some(self.last?.since(self.since?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the second at which a run of polls at this interval has lasted for 10 s.
    fn lasted_at(interval: u64) -> u64 {
        let mut run = Run::default();
        (0..)
            .step_by(usize::try_from(interval).unwrap())
            .find(|&milliseconds| {
                run.observe(Time::default() + Duration::from_millis(milliseconds), true);
                run.has_lasted(Duration::from_secs(10))
            })
            .unwrap()
    }

    #[test]
    fn run_takes_its_time_at_every_poll_interval() {
        assert_eq!([100, 5000, 60_000].map(lasted_at), [10_000, 10_000, 60_000]);
    }

    #[test]
    fn run_ends_without_its_condition() {
        let mut run = Run::default();
        for (seconds, holds) in [(0, true), (5, false), (10, true), (15, true)] {
            run.observe(Time::default() + Duration::from_secs(seconds), holds);
        }
        assert_eq!(run.duration(), Some(Duration::from_secs(5)));
    }
}
