//! Windows over cumulative totals: a history of fixed size, and differences of its samples.
//!
//! `/health` carries totals since the app's start. A missed poll therefore loses no count, and a late poll
//! only lengthens the time between two samples.
//!
//! # Hazards
//!
//! A window across a gap would count old errors as current. A start sample older than two windows is
//! therefore not used. A window shorter than the poll interval grows to it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::POLL_INTERVALS;
use crate::health::{Health, Latency};
use crate::number::as_f64;
use crate::time::Time;

/// Maximum number of latency buckets. A histogram with more buckets is ignored.
const BUCKETS: usize = 48;
/// Samples that are kept per slow window, however often the app is polled.
const SAMPLES: u32 = 128;

/// Totals at one time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) at: Time,
    pub(crate) requests: Option<u64>,
    pub(crate) errors: Option<u64>,
    pub(crate) panics: Option<u64>,
    pub(crate) in_flight: Option<u64>,
    /// Counts, truncated to u32; wrapping differences stay exact below 2³².
    buckets: Option<[u32; BUCKETS]>,
}

/// Difference of two samples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delta {
    pub(crate) seconds: f64,
    pub(crate) requests: Option<u64>,
    pub(crate) errors: Option<u64>,
    pub(crate) panics: Option<u64>,
    /// Number of requests started.
    pub(crate) arrivals: Option<u64>,
    buckets: Option<[u32; BUCKETS]>,
}

/// Samples of about two slow windows.
#[derive(Debug)]
pub(crate) struct History {
    kept: VecDeque<Sample>,
    newest: Option<Sample>,
    bounds: [f64; BUCKETS],
    bounds_len: usize,
    spacing: Duration,
    horizon: Duration,
}

// === impl Sample ===

impl Sample {
    /// Returns the totals of a health report. Without `errors_total`, the number of errors since the last
    /// soft heal is used, because a soft heal clears the history.
    pub(crate) fn of(health: &Health, at: Time) -> Self {
        let totals = &health.totals;
        Self {
            at,
            requests: totals.requests_total,
            errors: totals.errors_total.or(Some(health.error_count)),
            panics: totals.panics_total,
            in_flight: health.in_flight,
            buckets: health.latency.as_ref().and_then(truncated_counts),
        }
    }

    /// Returns a sample at the start of the app, with all totals zero.
    pub(crate) fn at_start(self, at: Time) -> Self {
        Self {
            at,
            requests: self.requests.map(|_| 0),
            errors: self.errors.map(|_| 0),
            panics: self.panics.map(|_| 0),
            in_flight: self.in_flight.map(|_| 0),
            buckets: self.buckets.map(|_| [0; BUCKETS]),
        }
    }

    /// Returns `true` if a total is smaller than in `earlier`.
    pub(crate) fn is_reset_since(&self, earlier: &Self) -> bool {
        let fell = |now: Option<u64>, then: Option<u64>| matches!((now, then), (Some(n), Some(t)) if n < t);
        fell(self.requests, earlier.requests)
            || fell(self.errors, earlier.errors)
            || fell(self.panics, earlier.panics)
    }

    /// Returns the difference from a start sample.
    fn since(&self, start: &Self) -> Delta {
        let requests = difference(self.requests, start.requests);
        let arrivals = match (requests, self.in_flight, start.in_flight) {
            (Some(finished), Some(now), Some(then)) => {
                Some(finished.saturating_add(now).saturating_sub(then))
            }
            _ => requests,
        };
        let buckets = match (self.buckets, start.buckets) {
            (Some(now), Some(then)) => Some(std::array::from_fn(|i| now[i].wrapping_sub(then[i]))),
            _ => None,
        };
        Delta {
            seconds: self.at.seconds_since(start.at),
            requests,
            errors: difference(self.errors, start.errors),
            panics: difference(self.panics, start.panics),
            arrivals,
            buckets,
        }
    }
}

/// Returns the difference of two totals, at least 0.
fn difference(now: Option<u64>, then: Option<u64>) -> Option<u64> {
    Some(now?.saturating_sub(then?))
}

/// Returns the counts of a histogram, truncated to u32. `None` if the histogram is invalid or too large.
#[allow(clippy::cast_possible_truncation)] // wrapping is intended
fn truncated_counts(latency: &Latency) -> Option<[u32; BUCKETS]> {
    let counts = &latency.counts;
    if counts.len() != latency.bounds_seconds.len() + 1 || counts.len() > BUCKETS {
        return None;
    }
    let mut buckets = [0; BUCKETS];
    for (bucket, count) in buckets.iter_mut().zip(counts) {
        *bucket = *count as u32;
    }
    Some(buckets)
}

// === impl Delta ===

impl Delta {
    /// Returns a count per second.
    pub(crate) fn per_second(&self, count: Option<u64>) -> Option<f64> {
        let count = count?;
        (self.seconds > 0.0).then(|| as_f64(count) / self.seconds)
    }

    /// Returns the ratio of `part` to requests, at most 1. It is 0 if there are no requests.
    pub(crate) fn ratio(&self, part: Option<u64>) -> Option<f64> {
        let (part, requests) = (part?, self.requests?);
        Some(if requests == 0 {
            0.0
        } else {
            (as_f64(part) / as_f64(requests)).min(1.0)
        })
    }
}

/// Returns the maximum age of the start of a window. Where polls are rare, windows grow to an interval
/// between two of them.
pub(crate) fn max_age(window: Duration) -> Duration {
    window.max(*POLL_INTERVALS.end()).saturating_mul(2)
}

// === impl History ===

impl History {
    /// Returns an empty history.
    pub(crate) fn new(slow_window: Duration) -> Self {
        Self {
            kept: VecDeque::with_capacity(2 * SAMPLES as usize + 2),
            newest: None,
            bounds: [0.0; BUCKETS],
            bounds_len: 0,
            spacing: slow_window / SAMPLES,
            horizon: max_age(slow_window),
        }
    }

    /// Returns the latest sample.
    pub(crate) fn newest(&self) -> Option<&Sample> {
        self.newest.as_ref()
    }

    /// Removes all samples.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.newest = None;
    }

    /// Adds a sample.
    pub(crate) fn push(&mut self, sample: Sample, latency: Option<&Latency>) {
        if let Some(latency) = latency {
            self.set_bounds(latency);
        }
        let due = |last: &Sample| sample.at.since(last.at) >= self.spacing;
        if self.kept.back().is_none_or(due) {
            while self
                .kept
                .front()
                .is_some_and(|old| sample.at.since(old.at) > self.horizon)
                || self.kept.len() > 2 * SAMPLES as usize
            {
                self.kept.pop_front();
            }
            self.kept.push_back(sample);
        }
        self.newest = Some(sample);
    }

    /// Sets the bounds of the latency buckets. Counts with other bounds are discarded.
    fn set_bounds(&mut self, latency: &Latency) {
        let bounds = &latency.bounds_seconds;
        if bounds.len() >= BUCKETS || self.bounds[..self.bounds_len] == bounds[..] {
            return;
        }
        for sample in &mut self.kept {
            sample.buckets = None;
        }
        self.bounds[..bounds.len()].copy_from_slice(bounds);
        self.bounds_len = bounds.len();
    }

    /// Returns the difference over about the last `window`. `None` if no start sample is recent enough.
    pub(crate) fn delta(&self, window: Duration) -> Option<Delta> {
        let newest = self.newest.as_ref()?;
        let mut start = None;
        for sample in self
            .kept
            .iter()
            .rev()
            .filter(|sample| sample.at < newest.at)
        {
            let age = newest.at.since(sample.at);
            if age <= max_age(window) {
                start = Some(sample);
            }
            if age >= window {
                break;
            }
        }
        start.map(|start| newest.since(start))
    }

    /// Iterates over the numbers of requests in flight in the last `window`, oldest first, as pairs of
    /// seconds (0 for the newest) and requests.
    pub(crate) fn in_flight(&self, window: Duration) -> impl Iterator<Item = (f32, f32)> + '_ {
        let newest = self.newest.map(|sample| sample.at).unwrap_or_default();
        self.kept
            .iter()
            .filter(move |sample| newest.since(sample.at) <= window)
            .filter_map(move |sample| {
                let seconds = -newest.seconds_since(sample.at);
                #[allow(clippy::cast_possible_truncation)] // a slope needs no more digits
                sample
                    .in_flight
                    .map(|count| (seconds as f32, as_f64(count) as f32))
            })
    }

    /// Returns a quantile of the latency in seconds, interpolated within its bucket. Latencies above all
    /// bounds count as the largest bound.
    pub(crate) fn quantile(&self, delta: &Delta, quantile: f64) -> Option<f64> {
        let buckets = delta.buckets?;
        let bounds = &self.bounds[..self.bounds_len];
        let total: u64 = buckets[..=bounds.len()]
            .iter()
            .copied()
            .map(u64::from)
            .sum();
        if total == 0 {
            return None;
        }
        let mut rank = as_f64(total) * quantile;
        for (index, &bound) in bounds.iter().enumerate() {
            let count = f64::from(buckets[index]);
            if rank <= count && count > 0.0 {
                let lower = if index == 0 { 0.0 } else { bounds[index - 1] };
                return Some(lower + (bound - lower) * rank / count);
            }
            rank -= count;
        }
        bounds.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Totals;

    fn health(requests: u64, errors: u64) -> Health {
        Health {
            totals: Totals {
                requests_total: Some(requests),
                errors_total: Some(errors),
                ..Totals::default()
            },
            ..Health::default()
        }
    }

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    fn history(polls: impl IntoIterator<Item = (u64, u64, u64)>) -> History {
        let mut history = History::new(Duration::from_secs(60));
        for (seconds, requests, errors) in polls {
            history.push(Sample::of(&health(requests, errors), at(seconds)), None);
        }
        history
    }

    const FAST: Duration = Duration::from_secs(10);
    const SLOW: Duration = Duration::from_secs(60);

    #[test]
    fn windows_are_differences_of_totals() {
        let history = history((0..=20).map(|i| (5 * i, 1000 + 50 * i, i)));
        let fast = history.delta(FAST).unwrap();
        assert_eq!(
            (fast.requests, fast.errors, fast.seconds),
            (Some(100), Some(2), 10.0)
        );
        let slow = history.delta(SLOW).unwrap();
        assert_eq!(
            (slow.requests, slow.errors, slow.seconds),
            (Some(600), Some(12), 60.0)
        );
        assert_eq!(slow.per_second(slow.requests), Some(10.0));
    }

    #[test]
    fn missed_polls_only_lengthen_the_window() {
        let history = history([(0, 0, 0), (5, 50, 5), (22, 220, 22)]);
        let fast = history.delta(FAST).unwrap();
        assert_eq!((fast.seconds, fast.errors), (17.0, Some(17)));
    }

    #[test]
    fn window_does_not_span_a_long_gap() {
        let history = history([(0, 0, 0), (5, 50, 40), (3600, 60, 50), (3605, 70, 50)]);
        assert_eq!(history.delta(SLOW).unwrap().errors, Some(0));
        let only = self::history([(0, 0, 0), (3600, 60, 50)]);
        assert!(only.delta(SLOW).is_none());
    }

    #[test]
    fn window_needs_two_samples_after_a_clear() {
        let mut history = history([(0, 0, 0), (5, 50, 50)]);
        history.clear();
        assert!(history.delta(SLOW).is_none());
        history.push(Sample::of(&health(60, 60), at(10)), None);
        assert!(history.delta(SLOW).is_none());
        history.push(Sample::of(&health(70, 60), at(15)), None);
        assert_eq!(history.delta(SLOW).unwrap().errors, Some(0));
    }

    #[test]
    fn history_keeps_its_capacity_at_frequent_polls() {
        let mut history = History::new(SLOW);
        let capacity = history.kept.capacity();
        for poll in 0..100_000_u64 {
            let at = Time::default() + Duration::from_millis(100 * poll);
            history.push(Sample::of(&health(poll, 0), at), None);
        }
        assert_eq!(history.kept.capacity(), capacity);
        let slow = history.delta(SLOW).unwrap();
        assert!((60.0..61.0).contains(&slow.seconds), "{}", slow.seconds);
    }

    #[test]
    fn quantiles_are_interpolated_in_the_buckets() {
        let mut history = History::new(SLOW);
        for (seconds, counts) in [(0, vec![5, 0, 0]), (10, vec![55, 50, 0])] {
            let latency = Latency {
                bounds_seconds: vec![0.1, 0.2],
                counts,
            };
            let health = Health {
                latency: Some(latency.clone()),
                ..health(0, 0)
            };
            history.push(Sample::of(&health, at(seconds)), Some(&latency));
        }
        let delta = history.delta(FAST).unwrap();
        assert!((history.quantile(&delta, 0.5).unwrap() - 0.1).abs() < 1e-9);
        assert!((history.quantile(&delta, 0.75).unwrap() - 0.15).abs() < 1e-9);
    }
}
