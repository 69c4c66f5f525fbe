//! Uptime of the instance that sends reports, and the order of its reports.

use std::time::Duration;

use super::instance::{Identity, Instance, InstanceMatch, identify};
use crate::health::Health;
use crate::time::Time;

/// Consecutive stale reports to ignore before accepting the next one as current.
const MAX_STALE: u32 = 2;

/// Uptime in the latest report, and the stale reports since.
#[derive(Debug, Default)]
pub(super) struct Uptime {
    /// Start of the instance. `None` before its first report.
    start_time: Option<Time>,
    /// Seconds since the start, as the app reports them.
    seconds: f64,
    /// Number of consecutive stale reports.
    stale_reports: u32,
}

// === impl Uptime ===

impl Uptime {
    /// Returns the seconds since the start by a report. One without a valid figure says nothing new.
    pub(super) fn in_report(&self, health: &Health) -> f64 {
        if health.uptime.is_finite() {
            health.uptime.max(0.0)
        } else {
            self.seconds
        }
    }

    /// Matches a report with the known instance. `None` if the report is stale and must be ignored.
    pub(super) fn identify(
        &mut self,
        known: &Instance,
        report: Identity<'_>,
    ) -> Option<InstanceMatch> {
        let known_uptime = self.start_time.map(|_| self.seconds);
        let matched = identify(known, known_uptime, report);
        if matched == InstanceMatch::Stale && self.stale_reports < MAX_STALE {
            self.stale_reports += 1;
            return None;
        }
        self.stale_reports = 0;
        Some(matched)
    }

    /// Adds the uptime of a report, in seconds.
    pub(super) fn set(&mut self, now: Time, seconds: f64) {
        self.seconds = seconds;
        self.start_time = Some(now - age(seconds));
    }

    /// Returns `true` if the instance is known to be at least this old.
    pub(super) fn is_at_least(&self, age: Duration, now: Time) -> bool {
        self.start_time.is_some_and(|start| now.since(start) >= age)
    }
}

/// Returns an uptime in seconds as a duration. One that is too long for a duration is no age.
pub(super) fn age(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn age_is_that_of_the_latest_report() {
        let mut uptime = Uptime::default();
        assert!(!uptime.is_at_least(Duration::ZERO, at(100)), "no report");
        uptime.set(at(100), 7.5);
        assert!(uptime.is_at_least(Duration::from_secs(10), at(103)));
        assert!(!uptime.is_at_least(Duration::from_secs(10), at(102)));
    }

    #[test]
    fn report_without_a_valid_uptime_keeps_the_known_one() {
        let mut uptime = Uptime::default();
        uptime.set(at(100), 7.5);
        for (reported, expected) in [(9.0, 9.0), (-1.0, 0.0), (f64::NAN, 7.5)] {
            let health = Health {
                uptime: reported,
                ..Health::default()
            };
            assert_eq!(uptime.in_report(&health), expected, "{reported}");
        }
    }

    #[test]
    fn third_consecutive_stale_report_is_accepted() {
        let mut known = Instance::default();
        known.set_id(Some("a"));
        known.set_id(Some("b"));
        let report = |id| Identity {
            id: Some(id),
            uptime: 100.0,
            totals_fell: false,
        };
        let mut uptime = Uptime::default();
        uptime.set(at(100), 90.0);
        for expected in [
            None,
            None,
            Some(InstanceMatch::Stale),
            None,
            Some(InstanceMatch::Same),
            None,
        ] {
            let id = if expected == Some(InstanceMatch::Same) {
                "b"
            } else {
                "a"
            };
            assert_eq!(uptime.identify(&known, report(id)), expected);
        }
    }
}
