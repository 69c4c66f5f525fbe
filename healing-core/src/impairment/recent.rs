//! Recent samples: a bounded history of what was sampled at each poll.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Time;

/// Smallest time between two kept samples, however often the app is polled; it bounds the memory.
const SPACING: Duration = Duration::from_secs(1);

/// Time-stamped samples of a bounded time, oldest first. The newest is always kept.
#[derive(Debug)]
pub(super) struct Recent<T> {
    samples: VecDeque<(Time, T)>,
    horizon: Duration,
    capacity: usize,
}

// === impl Recent ===

impl<T: Copy> Recent<T> {
    /// Returns an empty history of samples that are at most `horizon` old.
    pub(super) fn new(horizon: Duration) -> Self {
        // Samples at the two ends, and one that replaces the newest.
        let capacity = usize::try_from(horizon.as_secs()).unwrap_or(0) + 3;
        Self {
            samples: VecDeque::with_capacity(capacity),
            horizon,
            capacity,
        }
    }

    /// Adds a sample. It replaces the newest if that came less than [`SPACING`] after the one before it.
    pub(super) fn push(&mut self, now: Time, sample: T) {
        let mut newest = self.samples.iter().rev().map(|(at, _)| *at);
        if let (Some(newest), Some(before)) = (newest.next(), newest.next())
            && newest.since(before) < SPACING
        {
            self.samples.pop_back();
        }
        while self.samples.len() >= self.capacity
            || self
                .samples
                .front()
                .is_some_and(|(at, _)| now.since(*at) > self.horizon + SPACING)
        {
            self.samples.pop_front();
        }
        self.samples.push_back((now, sample));
    }

    /// Returns the newest sample.
    pub(super) fn newest(&self) -> Option<(Time, T)> {
        self.samples.back().copied()
    }

    /// Iterates over the samples, newest first, with their ages relative to the newest.
    pub(super) fn backwards(&self) -> impl Iterator<Item = (Duration, T)> + '_ {
        let newest = self.samples.back().map(|(at, _)| *at).unwrap_or_default();
        self.samples
            .iter()
            .rev()
            .map(move |(at, sample)| (newest.since(*at), *sample))
    }

    /// Iterates over the samples that are at most `window` older than the newest, and over further ones
    /// until they are `least`; newest first.
    pub(super) fn within(&self, window: Duration, least: usize) -> impl Iterator<Item = T> + '_ {
        self.backwards()
            .enumerate()
            .take_while(move |(index, (age, _))| *age < window || *index < least)
            .map(|(_, (_, sample))| sample)
    }

    /// Removes all samples.
    pub(super) fn clear(&mut self) {
        self.samples.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Time {
        Time::default() + Duration::from_millis(milliseconds)
    }

    #[test]
    fn history_is_bounded_at_frequent_polls() {
        let mut recent = Recent::new(Duration::from_secs(30));
        let capacity = recent.samples.capacity();
        for poll in 0..10_000_u64 {
            recent.push(at(100 * poll), poll);
        }
        assert_eq!(recent.samples.capacity(), capacity);
        assert_eq!(recent.newest(), Some((at(999_900), 9_999)));
        let oldest = recent.backwards().last().unwrap().0;
        assert!((30..=32).contains(&oldest.as_secs()), "{oldest:?}");
    }

    #[test]
    fn window_extends_to_the_least_number_of_samples() {
        let mut recent = Recent::new(Duration::from_secs(300));
        for poll in 0..10_u64 {
            recent.push(at(60_000 * poll), poll);
        }
        let window = Duration::from_secs(30);
        assert_eq!(recent.within(window, 0).collect::<Vec<_>>(), [9]);
        assert_eq!(recent.within(window, 3).collect::<Vec<_>>(), [9, 8, 7]);
    }
}
