//! Sustained condition: a symptom in several consecutive polls *and* for a minimum time, like the `for:`
//! of a Prometheus alert.
//!
//! Both are needed. Many polls in one second are not independent, and two polls a minute apart are too
//! few. `sustain_for` exceeds the app's 10 s lag window, so one spike cannot count in every poll.

use std::time::Duration;

use crate::config::EvidenceConfig;
use crate::time::Time;

/// State of one condition: inactive, pending or firing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sustained {
    polls: u32,
    since: Option<Time>,
    duration: Duration,
}

impl Sustained {
    /// Adds a poll. A poll without the symptom makes the condition inactive.
    pub(crate) fn observe(&mut self, now: Time, signal: bool) {
        if !signal {
            *self = Self::default();
            return;
        }
        self.polls = self.polls.saturating_add(1);
        self.duration = now.since(*self.since.get_or_insert(now));
    }

    /// Returns `true` if the latest poll shows the symptom, so that the condition is pending or firing.
    pub(crate) fn is_active(&self) -> bool {
        self.polls > 0
    }

    /// Returns the time of the first of the consecutive polls with the symptom.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.since
    }

    /// Returns `true` if the symptom has persisted for long enough to act.
    pub(crate) fn is_firing(&self, config: &EvidenceConfig) -> bool {
        self.polls >= config.hard_polls.max(1) && self.duration >= config.sustain_for
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the time in ms at which the symptom fires, with a poll every `interval` ms.
    fn fires_at(interval: u64, signal: impl Fn(u64) -> bool) -> Option<u64> {
        let mut sustained = Sustained::default();
        (0..200_000)
            .step_by(usize::try_from(interval).unwrap())
            .find(|&ms| {
                sustained.observe(Time::default() + Duration::from_millis(ms), signal(ms));
                sustained.is_firing(&EvidenceConfig::default())
            })
    }

    #[test]
    fn condition_fires_after_enough_polls_and_time() {
        assert_eq!(
            fires_at(5_000, |_| true),
            Some(20_000),
            "five consecutive polls"
        );
        assert_eq!(
            fires_at(250, |_| true),
            Some(20_000),
            "frequent polls must span the minimum time"
        );
        assert_eq!(
            fires_at(30_000, |_| true),
            Some(120_000),
            "rare polls must reach the minimum number"
        );
    }

    #[test]
    fn poll_without_the_symptom_makes_the_condition_inactive() {
        assert_eq!(fires_at(5_000, |ms| ms != 15_000), Some(40_000));
        assert_eq!(fires_at(5_000, |ms| ms % 20_000 != 15_000), None);
    }
}
