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
