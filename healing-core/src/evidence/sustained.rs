//! What lasts: a symptom in several polls in a row *and* for a time.
//!
//! Both are asked for, because either alone can be had by accident: many polls within a second are one
//! moment, and two polls a minute apart are two. The time is longer than the 10 s for which an app
//! remembers its worst lag, so that one bad second is never five bad polls.

use std::time::Duration;

use crate::config::EvidenceConfig;
use crate::time::Time;

/// One symptom, poll by poll.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sustained {
    polls: u32,
    since: Option<Time>,
    lasted: Duration,
}

impl Sustained {
    /// Takes in a poll. A single one without the symptom ends it.
    pub(crate) fn observe(&mut self, now: Time, shows: bool) {
        if !shows {
            *self = Self::default();
            return;
        }
        self.polls = self.polls.saturating_add(1);
        self.lasted = now.since(*self.since.get_or_insert(now));
    }

    /// The latest poll shows it.
    pub(crate) fn is_pending(&self) -> bool {
        self.polls > 0
    }

    /// Since when it shows without a break.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.since
    }

    /// It has shown for long enough to act.
    pub(crate) fn is_firing(&self, config: &EvidenceConfig) -> bool {
        self.polls >= config.hard_polls.max(1) && self.lasted >= config.sustain_for
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds_at(every: u64, shows: impl Fn(u64) -> bool) -> Option<u64> {
        let mut sustained = Sustained::default();
        (0..200_000)
            .step_by(usize::try_from(every).unwrap())
            .find(|&ms| {
                sustained.observe(Time::default() + Duration::from_millis(ms), shows(ms));
                sustained.is_firing(&EvidenceConfig::default())
            })
    }

    #[test]
    fn it_takes_polls_and_time() {
        assert_eq!(
            holds_at(5_000, |_| true),
            Some(20_000),
            "five polls in a row"
        );
        assert_eq!(
            holds_at(250, |_| true),
            Some(20_000),
            "quick polls are no proof"
        );
        assert_eq!(holds_at(30_000, |_| true), Some(120_000), "nor are few");
    }

    #[test]
    fn one_poll_without_it_ends_it() {
        assert_eq!(holds_at(5_000, |ms| ms != 15_000), Some(40_000));
        assert_eq!(holds_at(5_000, |ms| ms % 20_000 != 15_000), None);
    }
}
