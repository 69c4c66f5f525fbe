//! Counts of requests, and their windows by time and by number.
//!
//! | count | from |
//! |---|---|
//! | begun | requests finished and in flight |
//! | good | response heads without an error; where heads are not counted, requests that finished neither in an error nor by a disconnect |
//! | bad | the other endings |
//! | slow | requests that took longer than the declared time-out of the clients |
//!
//! In a window the slow ones that succeeded are bad.
//!
//! A stream counts as good once its head is sent, so that a client that leaves it is no failure; this needs
//! a report that counts heads.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::client_timeout;
use super::recent::Recent;
use crate::health::Health;
use crate::number::as_f64;
use crate::time::Time;

/// Time to which a window extends backwards until it holds enough requests.
const HORIZON: Duration = Duration::from_secs(300);

/// Requests that a window must hold: the standard deviation of their count is then at most 22 %.
pub(super) const MIN_REQUESTS: f64 = 20.0;

/// Cumulative counts of one report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) begun: u64,
    pub(super) good: u64,
    pub(super) bad: u64,
    /// Finished requests of any outcome; zero without a declared time-out.
    #[serde(default)]
    pub(super) slow: u64,
}

/// Counts over the time between two reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    pub(super) seconds: f64,
    pub(super) begun: f64,
    pub(super) good: f64,
    pub(super) bad: f64,
    /// Set if the window holds fewer than [`MIN_REQUESTS`], although it goes back as far as it can.
    pub(super) sparse: bool,
}

/// Counts of the reports of one instance.
#[derive(Debug)]
pub(super) struct CountHistory(Recent<Counts>);

// === impl Counts ===

impl Counts {
    /// Returns the counts of a report. `None` if it does not count requests and errors.
    ///
    /// Absent disconnects are not counted, so that goodput is too high rather than too low.
    pub(super) fn of(health: &Health, client_timeout: Option<Duration>) -> Option<Self> {
        let totals = &health.totals;
        let finished = totals.requests_total?;
        let (good, bad) = match (totals.answered_total, totals.answered_errors_total) {
            (Some(answered), Some(errors)) => {
                let left = totals.cancelled_before_head_total.unwrap_or(0);
                (answered.saturating_sub(errors), errors.saturating_add(left))
            }
            _ => {
                let left = totals.cancelled_total.unwrap_or(0);
                let bad = totals.errors_total?.saturating_add(left);
                (finished.saturating_sub(bad), bad)
            }
        };
        Some(Self {
            begun: finished.saturating_add(health.in_flight.unwrap_or(0)),
            good,
            bad,
            slow: client_timeout
                .zip(health.latency.as_ref())
                .map_or(0, |(timeout, latency)| {
                    client_timeout::slower(latency, timeout)
                }),
        })
    }
}

// === impl Window ===

impl Window {
    /// Returns requests begun per second.
    pub(super) fn arrivals(&self) -> f64 {
        self.begun / self.seconds
    }

    /// Returns good responses per second.
    pub(super) fn goodput(&self) -> f64 {
        self.good / self.seconds
    }
}

// === impl CountHistory ===

impl CountHistory {
    /// Returns an empty history.
    pub(super) fn new() -> Self {
        Self(Recent::new(HORIZON))
    }

    /// Adds the counts of a report.
    pub(super) fn push(&mut self, now: Time, counts: Counts) {
        self.0.push(now, counts);
    }

    /// Returns the window that ends with the newest report: of the time `shortest`, extended backwards until
    /// it holds [`MIN_REQUESTS`] begun or, at `expected` requests per second, due. `None` if the history is
    /// shorter.
    pub(super) fn window(&self, shortest: Duration, expected: f64) -> Option<Window> {
        let mut longest = None;
        for window in self.windows(shortest) {
            if window.begun.max(expected * window.seconds) >= MIN_REQUESTS {
                return Some(window);
            }
            longest = Some(Window {
                sparse: true,
                ..window
            });
        }
        longest
    }

    /// Returns the shortest window of at least this time. `None` if the history is shorter.
    pub(super) fn last(&self, shortest: Duration) -> Option<Window> {
        self.windows(shortest).next()
    }

    /// Iterates over the windows of at least this time, the shortest first.
    pub(super) fn windows(&self, shortest: Duration) -> impl Iterator<Item = Window> + '_ {
        let newest = self.0.newest().map(|(_, counts)| counts);
        let grown = |new: u64, old: u64| as_f64(new.saturating_sub(old));
        self.0.backwards().filter_map(move |(age, old)| {
            let new = newest.filter(|_| age >= shortest && !age.is_zero())?;
            let (good, bad) = (grown(new.good, old.good), grown(new.bad, old.bad));
            // At least so many of the slow ones are not among the bad ones.
            let too_late = (grown(new.slow, old.slow) - bad).clamp(0.0, good);
            Some(Window {
                seconds: age.as_secs_f64(),
                begun: grown(new.begun, old.begun),
                good: good - too_late,
                bad: bad + too_late,
                sparse: false,
            })
        })
    }

    /// Returns the counts of the newest report.
    pub(super) fn newest(&self) -> Option<(Time, Counts)> {
        self.0.newest()
    }

    /// Removes all reports.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Latency, Totals};

    fn history(per_poll: u64, polls: u64) -> CountHistory {
        let mut history = CountHistory::new();
        for poll in 0..polls {
            let good = per_poll * poll;
            let counts = Counts {
                begun: good + 1,
                good,
                bad: 0,
                slow: 0,
            };
            history.push(Time::default() + Duration::from_secs(5 * poll), counts);
        }
        history
    }

    const SHORTEST: Duration = Duration::from_secs(30);

    #[test]
    fn window_is_extended_until_it_holds_enough_requests() {
        let seconds = |per_poll, expected| {
            let window = history(per_poll, 60).window(SHORTEST, expected).unwrap();
            (window.seconds, window.sparse)
        };
        assert_eq!(seconds(100, 0.0), (30.0, false));
        assert_eq!(seconds(2, 0.0), (50.0, false));
        assert_eq!(seconds(0, 0.0), (295.0, true));
        assert_eq!(seconds(0, 0.5), (40.0, false), "requests that are due");
    }

    #[test]
    fn window_needs_its_shortest_time() {
        assert_eq!(history(100, 6).window(SHORTEST, 0.0), None);
        let window = history(100, 7).window(SHORTEST, 0.0).unwrap();
        assert_eq!((window.arrivals(), window.goodput()), (20.0, 20.0));
    }

    #[test]
    fn heads_decide_where_they_are_counted() {
        let totals = Totals {
            requests_total: Some(50),
            errors_total: Some(4),
            cancelled_total: Some(40),
            ..Totals::default()
        };
        let of = |totals: Totals| {
            let health = Health {
                totals,
                in_flight: Some(10),
                ..Health::default()
            };
            Counts::of(&health, None)
        };
        let counts = of(totals.clone()).unwrap();
        assert_eq!((counts.begun, counts.good, counts.bad), (60, 6, 44));
        let counts = of(Totals {
            answered_total: Some(58),
            answered_errors_total: Some(3),
            cancelled_before_head_total: Some(2),
            ..totals.clone()
        })
        .unwrap();
        assert_eq!((counts.begun, counts.good, counts.bad), (60, 55, 5));
        let unknown = Totals {
            errors_total: None,
            ..totals
        };
        assert_eq!(of(unknown), None);
    }

    #[test]
    fn slow_successes_are_bad_and_slow_failures_count_once() {
        let window = |bad, slow| {
            let mut history = history(100, 1);
            let counts = Counts {
                begun: 101,
                good: 100 - bad,
                bad,
                slow,
            };
            history.push(Time::default() + SHORTEST, counts);
            let window = history.last(SHORTEST).unwrap();
            (window.good, window.bad)
        };
        assert_eq!(window(0, 30), (70.0, 30.0));
        assert_eq!(window(30, 30), (70.0, 30.0));
        assert_eq!(window(30, 50), (50.0, 50.0));
        assert_eq!(window(0, 150), (0.0, 100.0), "slow ones of earlier heads");
    }

    #[test]
    fn requests_are_slow_only_by_a_declared_timeout() {
        let health = Health {
            totals: Totals {
                requests_total: Some(50),
                errors_total: Some(0),
                ..Totals::default()
            },
            latency: Some(Latency {
                bounds_seconds: vec![1.0, 4.0],
                counts: vec![30, 15, 5],
            }),
            ..Health::default()
        };
        let slow = |timeout| Counts::of(&health, timeout).unwrap().slow;
        assert_eq!(slow(Some(Duration::from_secs(1))), 20);
        assert_eq!(slow(None), 0);
    }
}
