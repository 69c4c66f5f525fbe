//! History of requests and errors over ten minutes, for windows that grow where traffic is low.

use std::collections::VecDeque;
use std::time::Duration;

use super::counts::{Counts, INTERVALS_PER_SECOND};
use super::usual_errors::{Acceptance, UsualErrors};
use crate::config::PolicyConfig;
use crate::health::Health;
use crate::number::as_f64;
use crate::time::Time;

/// Totals at the polls of the last ten minutes, since the last reset.
#[derive(Debug)]
pub(crate) struct ErrorHistory {
    kept: VecDeque<Totals>,
    newest: Option<Totals>,
}

/// Totals at one time.
#[derive(Debug, Clone, Copy)]
struct Totals {
    at: Time,
    requests: u64,
    errors: u64,
}

/// Maximum number of samples.
const SAMPLES: usize = 64;
/// Number of errors from which their share is known well enough: its standard deviation is then at most 22 %.
const SHARE_ERRORS: f64 = 20.0;
/// Minimum time between two samples that are kept. Together they cover ten minutes.
const SPACING: Duration = Duration::from_secs(10);

// === impl ErrorHistory ===

impl ErrorHistory {
    /// Returns an empty history.
    pub(crate) fn new() -> Self {
        Self {
            kept: VecDeque::with_capacity(SAMPLES),
            newest: None,
        }
    }

    /// Adds a report, and updates what is known about the usual errors of the app.
    pub(crate) fn learn(
        &mut self,
        now: Time,
        health: &Health,
        usual: &mut UsualErrors,
        restarts_failed: bool,
        config: &PolicyConfig,
    ) {
        usual.bind(health.version.as_deref());
        let totals = &health.totals;
        // Without totals, a soft heal resets the number of errors, and clears this history.
        let errors = totals.errors_total.unwrap_or(health.error_count);
        let requests = totals.requests_total.unwrap_or_else(|| intervals(now));
        let latest = self.push(now, requests, errors);
        let acceptance = Acceptance {
            attempts: config.permission.soft_attempts,
            effect_after: config.outcome.probation,
            restart_above: config.evidence.ratio_threshold,
            restarts_failed,
        };
        usual.observe(now, latest, self.grown(config), acceptance);
    }

    /// Returns the counts of a window that grows until it holds enough requests.
    pub(crate) fn grown(&self, config: &PolicyConfig) -> Counts {
        let enough = as_f64(config.evidence.ratio_requests);
        self.window(config.slow_window, |counts| counts.requests >= enough)
    }

    /// Returns the counts of a window that grows until it shows the share of the errors well enough.
    pub(crate) fn before_treatment(&self, slow_window: Duration) -> Counts {
        self.window(slow_window, |counts| counts.errors >= SHARE_ERRORS)
    }

    /// Adds the totals of a poll, and returns the counts since the one before.
    pub(crate) fn push(&mut self, at: Time, requests: u64, errors: u64) -> Counts {
        let sample = Totals {
            at,
            requests,
            errors,
        };
        let latest = self
            .newest
            .map_or_else(Counts::default, |newest| sample.since(&newest));
        let due = |last: &Totals| at.since(last.at) >= SPACING;
        if self.kept.back().is_none_or(due) {
            if self.kept.len() == SAMPLES {
                self.kept.pop_front();
            }
            self.kept.push_back(sample);
        }
        self.newest = Some(sample);
        latest
    }

    /// Removes all samples.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.newest = None;
    }

    /// Returns the counts of the shortest window of at least `min` with enough of them, or else of all
    /// samples.
    pub(crate) fn window(&self, min: Duration, enough: impl Fn(Counts) -> bool) -> Counts {
        let Some(newest) = self.newest else {
            return Counts::default();
        };
        let mut counts = Counts::default();
        for start in self.kept.iter().rev() {
            counts = newest.since(start);
            if newest.at.since(start.at) >= min && enough(counts) {
                break;
            }
        }
        counts
    }
}

/// Returns the time in intervals, which take the place of the requests if the app does not count them. The
/// number of errors in a time is then tested as that in many short intervals, most of them without any.
fn intervals(now: Time) -> u64 {
    let seconds = now.seconds_since(Time::default());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative
    let intervals = (seconds * INTERVALS_PER_SECOND) as u64;
    intervals
}

// === impl Totals ===

impl Totals {
    /// Returns the difference from an earlier sample, at least 0.
    fn since(&self, earlier: &Self) -> Counts {
        Counts::new(
            self.requests.saturating_sub(earlier.requests),
            self.errors.saturating_sub(earlier.errors),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn window_grows_until_it_holds_enough_requests() {
        let mut history = ErrorHistory::new();
        for seconds in (0..=500).step_by(5) {
            history.push(at(seconds), seconds / 10, seconds / 100);
        }
        let min = Duration::from_secs(60);
        let window = |requests| history.window(min, |counts| counts.requests >= requests);
        assert_eq!(window(1.0), Counts::new(6, 1), "at least 60 s");
        assert_eq!(window(30.0), Counts::new(30, 3));
        assert_eq!(window(1e9), Counts::new(50, 5), "all samples");
    }

    #[test]
    fn history_covers_ten_minutes_at_any_poll_interval() {
        for interval in [100, 5_000, 60_000] {
            let mut history = ErrorHistory::new();
            for ms in (0..=4_000_000).step_by(interval) {
                history.push(Time::default() + Duration::from_millis(ms), ms / 1000, 0);
            }
            let all = history.window(Duration::ZERO, |_| false);
            assert!(all.requests >= 600.0, "{interval}: {all:?}");
            assert!(history.kept.capacity() < 2 * SAMPLES);
        }
    }

    #[test]
    fn push_returns_the_counts_since_the_poll_before() {
        let mut history = ErrorHistory::new();
        assert_eq!(history.push(at(0), 100, 7), Counts::default());
        assert_eq!(history.push(at(1), 103, 8), Counts::new(3, 1));
        history.clear();
        assert_eq!(history.push(at(2), 110, 9), Counts::default());
    }
}
