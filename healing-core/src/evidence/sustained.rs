//! Sustained condition: a symptom in several polls in a row *and* for a time, like the `for:` of a
//! Prometheus alert.
//!
//! Both are needed: many polls within a second are one moment, and two polls a minute apart are only
//! two. The time is longer than the 10 s for which an app remembers its worst lag, so that one bad
//! second is never five bad polls.

use std::time::Duration;

use crate::config::EvidenceConfig;
use crate::time::Time;

/// State of one symptom: inactive, pending or firing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sustained {
    polls: u32,
    since: Option<Time>,
    duration: Duration,
}

impl Sustained {
    /// Adds a poll; one without the symptom makes it inactive.
    pub(crate) fn observe(&mut self, now: Time, signal: bool) {
        if !signal {
            *self = Self::default();
            return;
        }
        self.polls = self.polls.saturating_add(1);
        self.duration = now.since(*self.since.get_or_insert(now));
    }

    /// Reports if the latest poll shows the symptom.
    pub(crate) fn is_pending(&self) -> bool {
        self.polls > 0
    }

    /// Returns the time since which every poll shows the symptom.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.since
    }

    /// Reports if the symptom has lasted for long enough to act.
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
    fn symptom_fires_after_polls_and_time() {
        assert_eq!(
            fires_at(5_000, |_| true),
            Some(20_000),
            "five polls in a row"
        );
        assert_eq!(
            fires_at(250, |_| true),
            Some(20_000),
            "quick polls need the time"
        );
        assert_eq!(
            fires_at(30_000, |_| true),
            Some(120_000),
            "slow polls need the number"
        );
    }

    #[test]
    fn poll_without_the_symptom_makes_it_inactive() {
        assert_eq!(fires_at(5_000, |ms| ms != 15_000), Some(40_000));
        assert_eq!(fires_at(5_000, |ms| ms % 20_000 != 15_000), None);
    }
}
