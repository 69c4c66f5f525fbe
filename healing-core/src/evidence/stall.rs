//! Stalled runtime: proof by the care thread that no task of the app makes progress.
//!
//! The app reports the age of its runtime's last tick. The last tick is older than the report before if the
//! runtime has not ticked between two polls. That proves a stall as soon as the age would exceed
//! [`hang_timeout`](crate::config::EvidenceConfig::hang_timeout), or the app's own threshold if it is higher,
//! by the next poll.
//!
//! With the defaults, a poll every 5 s and a probe timeout of 2 s: if the runtime stops at 0 s, the first
//! poll is at *φ* (0 < *φ* ≤ 5 s) and the second one at *φ* + 5 s. There the age is above 5 s, so that the
//! runtime has not ticked since the first poll, and at a third one it would exceed 10 s. The restart is
//! decided when the front door of the second poll has timed out, at *φ* + 7 s, thus at most 12 s after the
//! fault.
//!
//! # Hazards
//!
//! An app that blocks its runtime for longer than one poll interval in normal operation must declare so by
//! a higher stall threshold.

use std::time::Duration;

use crate::health::Runtime;
use crate::time::Time;

/// Reports about the runtime's ticks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StallDetector {
    /// Time of the latest report.
    previous: Option<Time>,
    proven: bool,
}

/// Part of an interval that the clocks of app and doctor may differ by, as a divisor.
const TOLERANCE: u32 = 20;

// === impl StallDetector ===

impl StallDetector {
    /// Adds a report. `runtime` is the state of the app's runtime; an app without a heartbeat proves
    /// nothing.
    pub(crate) fn observe(
        &mut self,
        now: Time,
        runtime: Option<&Runtime>,
        front_door_answers: bool,
        hang_timeout: Duration,
    ) {
        let interval = self.previous.map(|previous| now.since(previous));
        self.previous = Some(now);
        self.proven = runtime.zip(interval).is_some_and(|(runtime, interval)| {
            // Only the app's own verdict stands against an answer of the front door.
            (runtime.stalled || !front_door_answers)
                && proves_stall(runtime, interval, hang_timeout)
        });
    }

    /// Discards all reports.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Returns `true` if the latest report proves a stall.
    pub(crate) fn is_proven(&self) -> bool {
        self.proven
    }
}

/// Returns `true` if the runtime has not ticked in the `interval` since the report before, and would be
/// stalled for too long by the next report.
fn proves_stall(runtime: &Runtime, interval: Duration, hang_timeout: Duration) -> bool {
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
    let threshold = runtime.stall_after_seconds.and_then(seconds);
    if threshold.is_none() && !runtime.stalled {
        return false;
    }
    let timeout = threshold.map_or(hang_timeout, |threshold| threshold.max(hang_timeout));
    let early = |time: Duration| time - time / TOLERANCE;
    seconds(runtime.tick_age_seconds)
        .is_some_and(|age| age >= early(interval) && age.saturating_add(interval) >= early(timeout))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    /// Returns the time in ms from the last tick to the poll that proves the stall, with the first poll
    /// after `phase` ms.
    fn proven_at(interval: u64, phase: u64, stall_after: Option<f64>) -> Option<u64> {
        let mut detector = StallDetector::default();
        (0..600).find_map(|poll| {
            let since_fault = phase + interval * poll;
            let age = since_fault.saturating_sub(interval);
            #[allow(clippy::cast_precision_loss)]
            let seconds = age as f64 / 1000.0;
            let runtime = Runtime {
                tick_age_seconds: if poll == 0 { 0.01 } else { seconds },
                stalled: seconds > stall_after.unwrap_or(10.0),
                stall_after_seconds: stall_after,
                ..Runtime::default()
            };
            let now = Time::default() + Duration::from_millis(since_fault);
            detector.observe(now, Some(&runtime), false, TIMEOUT);
            detector.is_proven().then_some(age)
        })
    }

    #[test]
    fn stall_is_proven_within_ten_seconds_at_every_phase_of_the_polls() {
        let probe_timeout = 2_000;
        for phase in (1..=5_000).step_by(7) {
            let proven = proven_at(5_000, phase, Some(10.0)).unwrap();
            assert!((4_750..=10_000).contains(&proven), "{phase}: {proven}");
            assert!(proven + probe_timeout <= 12_000, "{phase}: {proven}");
        }
    }

    #[test]
    fn stall_is_proven_near_the_timeout_at_frequent_polls() {
        for interval in [100, 250, 1_000] {
            let proven = proven_at(interval, interval, Some(10.0)).unwrap();
            assert!((8_500..=10_000).contains(&proven), "{interval}: {proven}");
        }
    }

    #[test]
    fn stall_is_not_proven_below_the_owners_threshold() {
        assert_eq!(proven_at(5_000, 5_000, Some(60.0)), Some(55_000));
        assert_eq!(
            proven_at(5_000, 5_000, None),
            Some(15_000),
            "by the flag only"
        );
    }

    #[test]
    fn single_report_or_a_tick_between_two_reports_proves_nothing() {
        let runtime = |tick_age_seconds| Runtime {
            tick_age_seconds,
            stalled: true,
            stall_after_seconds: Some(10.0),
            ..Runtime::default()
        };
        let mut detector = StallDetector::default();
        detector.observe(Time::default(), Some(&runtime(60.0)), false, TIMEOUT);
        assert!(!detector.is_proven());
        let next = Time::default() + Duration::from_secs(60);
        detector.observe(next, Some(&runtime(20.0)), false, TIMEOUT);
        assert!(!detector.is_proven());
    }

    #[test]
    fn answer_of_the_front_door_stands_against_an_early_proof() {
        let mut detector = StallDetector::default();
        for (seconds, age) in [(0, 4.0), (5, 9.0)] {
            let runtime = Runtime {
                tick_age_seconds: age,
                stall_after_seconds: Some(10.0),
                ..Runtime::default()
            };
            let now = Time::default() + Duration::from_secs(seconds);
            detector.observe(now, Some(&runtime), true, TIMEOUT);
        }
        assert!(!detector.is_proven());
    }
}
