//! Rates, ratios and quantiles over the last 10 s and 60 s, for display.
//!
//! The meter takes a snapshot of the cumulative counts at each tick and keeps one per second. A window is
//! the difference between the newest snapshot and the one that is older by the window's length. Requests
//! do not access the snapshots, which form a ring of fixed length.

use super::durations::{self, BUCKETS, BucketCounts};
use healing_wire::health::WindowStats;
use std::collections::VecDeque;
use std::time::Duration;

/// Lengths of the windows, in seconds.
const WINDOWS: [u64; 2] = [10, 60];
/// Number of snapshots kept, one per second: one more than the seconds of the longest window.
const CAPACITY: usize = 61;

/// Cumulative counts at one time.
#[derive(Clone)]
pub(crate) struct Snapshot {
    /// Time since the meter's start.
    pub(crate) at: Duration,
    pub(crate) errors: u64,
    pub(crate) panics: u64,
    pub(crate) durations: BucketCounts,
    /// Requests in flight; in a kept snapshot, the peak since the previous kept one.
    pub(crate) in_flight: u64,
}

impl Snapshot {
    /// Returns the snapshot of a meter without requests, at its start.
    pub(crate) fn zero() -> Self {
        Self {
            at: Duration::ZERO,
            errors: 0,
            panics: 0,
            durations: [0; BUCKETS],
            in_flight: 0,
        }
    }
}

/// Ring of snapshots.
pub(crate) struct Windows {
    kept: VecDeque<Snapshot>,
    /// Newest snapshot, kept or not.
    latest: Snapshot,
}

impl Windows {
    pub(crate) fn new() -> Self {
        let mut kept = VecDeque::with_capacity(CAPACITY);
        kept.push_back(Snapshot::zero());
        Self {
            kept,
            latest: Snapshot::zero(),
        }
    }

    /// Adds a snapshot. Every snapshot counts for the peak in flight; one per second is kept.
    pub(crate) fn push(&mut self, mut snapshot: Snapshot) {
        let last_kept = self.kept.back().map_or(Duration::ZERO, |kept| kept.at);
        if self.latest.at > last_kept {
            snapshot.in_flight = snapshot.in_flight.max(self.latest.in_flight);
        }
        // The first one of each second of the clock is kept, so that jitter does not accumulate.
        if snapshot.at.as_secs() > last_kept.as_secs() {
            if self.kept.len() == CAPACITY {
                self.kept.pop_front();
            }
            self.kept.push_back(snapshot.clone());
        }
        self.latest = snapshot;
    }

    /// Returns the statistics of each window, as of the last snapshot; empty before the first.
    pub(crate) fn stats(&self) -> Vec<WindowStats> {
        if self.latest.at.is_zero() {
            return Vec::new();
        }
        WINDOWS
            .iter()
            .map(|&seconds| self.window(seconds))
            .collect()
    }

    fn window(&self, seconds: u64) -> WindowStats {
        // The window of a young process is shorter; its rate is over the uptime.
        let begin = self.latest.at.saturating_sub(Duration::from_secs(seconds));
        let inside = self.kept.iter().filter(|snapshot| snapshot.at > begin);
        let peak = inside
            .chain([&self.latest])
            .map(|snapshot| snapshot.in_flight)
            .max();
        let before = self.kept.iter().rev().find(|snapshot| snapshot.at <= begin);
        let base = before.or(self.kept.front()).unwrap_or(&self.latest);

        let now = &self.latest;
        let counts: BucketCounts =
            std::array::from_fn(|i| now.durations[i].saturating_sub(base.durations[i]));
        let requests: u64 = counts.iter().sum();
        let span = now.at.saturating_sub(base.at).as_secs_f64();
        let ratio = |now: u64, then: u64| {
            (requests > 0).then(|| (now.saturating_sub(then) as f64 / requests as f64).min(1.0))
        };
        WindowStats {
            seconds: seconds as f64,
            request_rate: if span > 0.0 {
                requests as f64 / span
            } else {
                0.0
            },
            error_ratio: ratio(now.errors, base.errors),
            panic_ratio: ratio(now.panics, base.panics),
            p50_seconds: durations::quantile(&counts, 0.5),
            p99_seconds: durations::quantile(&counts, 0.99),
            in_flight_peak: peak,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(at: f64, requests: u64, errors: u64, in_flight: u64) -> Snapshot {
        let mut snapshot = Snapshot::zero();
        snapshot.at = Duration::from_secs_f64(at);
        snapshot.durations[durations::bucket(20_000_000)] = requests;
        snapshot.errors = errors;
        snapshot.in_flight = in_flight;
        snapshot
    }

    #[test]
    fn ratios_are_absent_without_requests() {
        let mut windows = Windows::new();
        windows.push(snapshot(1.0, 0, 0, 0));
        for window in windows.stats() {
            assert_eq!(window.request_rate, 0.0);
            assert_eq!((window.error_ratio, window.p99_seconds), (None, None));
            assert_eq!(window.in_flight_peak, Some(0));
        }
    }

    #[test]
    fn window_covers_its_own_length() {
        let mut windows = Windows::new();
        // 100 requests per second for two minutes, all of them errors except in the last 30 s.
        for tick in 1..=480u64 {
            let at = tick as f64 / 4.0;
            let errors = 25 * tick.min(480 - 120);
            windows.push(snapshot(
                at,
                25 * tick,
                errors,
                if tick == 300 { 77 } else { 3 },
            ));
        }
        let [short, long] = windows.stats().try_into().unwrap();
        assert!((short.request_rate - 100.0).abs() < 1e-6);
        assert_eq!(short.error_ratio, Some(0.0));
        assert_eq!(short.in_flight_peak, Some(3));
        assert!((long.request_rate - 100.0).abs() < 1e-6);
        assert!((long.error_ratio.unwrap() - 0.5).abs() < 0.02);
        assert_eq!(
            long.in_flight_peak,
            Some(77),
            "45 s ago, between two kept snapshots"
        );
        assert!((long.p50_seconds.unwrap() - 0.02).abs() < 0.0025);
        assert_eq!(windows.kept.len(), CAPACITY);
    }

    #[test]
    fn rate_of_young_process_is_over_its_uptime() {
        let mut windows = Windows::new();
        windows.push(snapshot(1.0, 10, 0, 0));
        windows.push(snapshot(2.0, 20, 0, 0));
        assert!(
            windows
                .stats()
                .iter()
                .all(|window| (window.request_rate - 10.0).abs() < 1e-6)
        );
    }
}
