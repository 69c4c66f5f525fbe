//! Sustained condition: a symptom that persists for a minimum time, like the `for:` of a Prometheus alert.
//!
//! The time is the sum of the intervals between polls that show the symptom. No interval counts for more
//! than half of the required time. A condition therefore needs three polls at any poll interval, and a gap,
//! in which the doctor was stopped or late, does not count as time with the symptom.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// State of one condition: inactive, pending or firing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sustained {
    /// Set if the latest poll shows the symptom.
    active: bool,
    onset: Option<Time>,
    last: Option<Time>,
    duration: Duration,
}

/// Part of the required time by which a caller's timer may be early, as a divisor.
const TOLERANCE: u32 = 20;

// === impl Sustained ===

impl Sustained {
    /// Adds a poll. A poll without the symptom makes the condition inactive.
    pub(crate) fn observe(&mut self, now: Time, symptom: bool, required: Duration) {
        if !symptom {
            *self = Self::default();
            return;
        }
        self.duration += self.interval(now, required);
        self.begin(now);
    }

    /// Adds a poll. A poll without the symptom takes back as much time as one with the symptom adds, so
    /// that a short interruption does not make the condition inactive.
    pub(crate) fn observe_leaky(&mut self, now: Time, symptom: bool, required: Duration) {
        let interval = self.interval(now, required);
        if symptom {
            self.duration += interval;
            self.begin(now);
            return;
        }
        self.active = false;
        self.last = Some(now);
        self.duration = self.duration.saturating_sub(interval);
        if self.duration.is_zero() {
            *self = Self::default();
        }
    }

    /// Adds a poll that does not show if there is the symptom. Its interval does not count.
    pub(crate) fn skip(&mut self, now: Time) {
        if self.last.is_some() {
            self.last = Some(now);
        }
    }

    /// Returns `true` if the latest poll shows the symptom, so that the condition is pending or firing.
    pub(crate) fn is_active(&self) -> bool {
        self.active
    }

    /// Returns the time of the first poll with the symptom.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.onset
    }

    /// Returns `true` if the latest poll shows the symptom, and it has persisted for the required time.
    pub(crate) fn is_firing(&self, required: Duration) -> bool {
        self.active && self.duration + required / TOLERANCE >= required
    }

    /// Returns the time since the latest poll, as far as it counts.
    fn interval(&self, now: Time, required: Duration) -> Duration {
        self.last
            .map_or(Duration::ZERO, |last| now.since(last).min(required / 2))
    }

    fn begin(&mut self, now: Time) {
        self.active = true;
        self.onset.get_or_insert(now);
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIRED: Duration = Duration::from_secs(20);

    fn at(ms: u64) -> Time {
        Time::default() + Duration::from_millis(ms)
    }

    /// Returns the time in ms at which the symptom fires, with a poll every `interval` ms.
    fn fires_at(interval: u64, symptom: impl Fn(u64) -> bool) -> Option<u64> {
        let mut sustained = Sustained::default();
        (0..400_000)
            .step_by(usize::try_from(interval).unwrap())
            .find(|&ms| {
                sustained.observe(at(ms), symptom(ms), REQUIRED);
                sustained.is_firing(REQUIRED)
            })
    }

    #[test]
    fn condition_fires_after_the_required_time_at_every_poll_interval() {
        assert_eq!(fires_at(100, |_| true), Some(19_000));
        assert_eq!(fires_at(5_000, |_| true), Some(20_000));
        assert_eq!(fires_at(4_999, |_| true), Some(19_996), "an early timer");
        assert_eq!(fires_at(7_000, |_| true), Some(21_000));
        assert_eq!(fires_at(60_000, |_| true), Some(120_000), "three polls");
    }

    #[test]
    fn poll_without_the_symptom_makes_the_condition_inactive() {
        assert_eq!(fires_at(5_000, |ms| ms != 15_000), Some(40_000));
        assert_eq!(fires_at(5_000, |ms| ms % 20_000 != 15_000), None);
    }

    #[test]
    fn gap_counts_for_at_most_half_of_the_required_time() {
        let mut sustained = Sustained::default();
        sustained.observe(at(0), true, REQUIRED);
        sustained.observe(at(3_600_000), true, REQUIRED);
        assert!(!sustained.is_firing(REQUIRED));
        sustained.observe(at(7_200_000), true, REQUIRED);
        assert!(sustained.is_firing(REQUIRED));
    }

    #[test]
    fn skipped_poll_takes_no_time_away_and_adds_none() {
        let mut sustained = Sustained::default();
        for ms in (0..=10_000).step_by(5_000) {
            sustained.observe(at(ms), true, REQUIRED);
        }
        sustained.skip(at(20_000));
        sustained.observe(at(25_000), true, REQUIRED);
        assert!(!sustained.is_firing(REQUIRED), "15 s");
        sustained.observe(at(30_000), true, REQUIRED);
        assert!(sustained.is_firing(REQUIRED));
    }

    #[test]
    fn short_interruption_only_delays_a_leaky_condition() {
        let fires = |symptoms: &[bool]| {
            let mut sustained = Sustained::default();
            let polls = (0..).step_by(5_000).zip(symptoms);
            let required = Duration::from_secs(10);
            polls.for_each(|(ms, &symptom)| sustained.observe_leaky(at(ms), symptom, required));
            sustained.is_firing(required)
        };
        assert!(fires(&[true, true, true]));
        assert!(!fires(&[true, true, false, true]));
        assert!(fires(&[true, true, true, false, true]));
        assert!(
            !fires(&[true, false, true, false, true, false, true]),
            "no more often than not"
        );
        assert!(
            !fires(&[true, true, true, false]),
            "the latest poll shows nothing"
        );
    }
}
