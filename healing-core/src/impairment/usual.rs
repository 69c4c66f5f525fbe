//! Usual value of a figure: its median over about the last ten minutes.
//!
//! The last minute is left out, so that a change is compared with the time before it.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Time between two values, at least: with [`CAPACITY`] values a median covers ten minutes.
const SPACING: Duration = Duration::from_secs(10);

/// Number of values.
const CAPACITY: usize = 66;

/// Age below which a value is left out, unless there is no older one.
const LEFT_OUT: Duration = Duration::from_secs(60);

/// Age at which a value expires: an app that was watched an hour ago may have other traffic.
const EXPIRY: Duration = Duration::from_secs(3600);

/// Values of the last minutes, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Usual(VecDeque<(Time, f32)>);

// === impl Usual ===

impl Usual {
    /// Returns an empty series.
    pub(super) fn new() -> Self {
        Self(VecDeque::with_capacity(CAPACITY))
    }

    /// Returns `true` if the next value is due.
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.0
            .back()
            .is_none_or(|(last, _)| now.since(*last) >= SPACING)
    }

    /// Adds a value.
    pub(super) fn push(&mut self, now: Time, value: f64) {
        while self.0.len() >= CAPACITY {
            self.0.pop_front();
        }
        #[allow(clippy::cast_possible_truncation)] // a median needs no more digits
        self.0.push_back((now, value as f32));
    }

    /// Returns the median of the values before the last minute; of all values, if there are no older ones.
    pub(super) fn median(&self, now: Time) -> Option<f64> {
        self.median_before(now, LEFT_OUT)
            .or_else(|| self.median_before(now, Duration::ZERO))
    }

    fn median_before(&self, now: Time, youngest: Duration) -> Option<f64> {
        let mut values = [0.0_f32; CAPACITY];
        let mut len = 0;
        let ages = youngest..EXPIRY;
        let aged = self
            .0
            .iter()
            .filter(|(at, _)| ages.contains(&now.since(*at)));
        for (slot, (_, value)) in values.iter_mut().zip(aged) {
            *slot = *value;
            len += 1;
        }
        let values = &mut values[..len];
        let middle = len / 2;
        (len > 0).then(|| f64::from(*values.select_nth_unstable_by(middle, f32::total_cmp).1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn last_minute_is_left_out_unless_it_is_all() {
        let mut usual = Usual::new();
        assert_eq!(usual.median(at(0)), None);
        usual.push(at(0), 20.0);
        assert_eq!(usual.median(at(5)), Some(20.0));
        for seconds in (10..100).step_by(10) {
            usual.push(at(seconds), if seconds < 30 { 20.0 } else { 500.0 });
        }
        assert_eq!(usual.median(at(90)), Some(20.0));
        assert_eq!(usual.median(at(200)), Some(500.0));
    }

    #[test]
    fn series_is_bounded_and_expires() {
        let mut usual = Usual::new();
        let capacity = usual.0.capacity();
        for poll in 0..1000 {
            assert!(usual.is_due(at(10 * poll)));
            usual.push(at(10 * poll), 7.0);
            assert!(!usual.is_due(at(10 * poll + 9)));
        }
        assert_eq!(usual.0.capacity(), capacity);
        assert_eq!(usual.median(at(10_000)), Some(7.0));
        assert_eq!(usual.median(at(14_000)), None);
    }
}
