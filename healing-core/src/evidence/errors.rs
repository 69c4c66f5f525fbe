//! Errors: so many requests fail, for so long, that clients notice.
//!
//! - *Count rule*, for apps with little traffic: more than 5 errors that are at least 5 % of the
//!   requests in the slow window.
//! - *Ratio rule*, for busy apps: at least 50 requests in the window and a larger share of errors than
//!   the threshold.
//!
//! Either rule, in 3 of 5 polls, justifies a soft heal. A hard heal needs the ratio rule in 5
//! consecutive polls after soft heals did not help.
//!
//! # Hazards
//!
//! If an app does not count requests, the share is unknown, and the number of errors alone justifies a
//! soft heal. It never justifies a hard heal.

use crate::config::EvidenceConfig;
use crate::decision::Reason;
use crate::time::Time;
use crate::window::{Delta, as_f64};

/// Error signal of one poll.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ErrorSignal {
    /// Set if the count rule holds.
    pub(crate) count: bool,
    /// Set if the ratio rule holds.
    pub(crate) ratio: bool,
    /// Set if the errors are below the lower, clearing thresholds of both rules (hysteresis).
    pub(crate) clear: bool,
    /// Errors per request, if there are enough requests for the ratio rule.
    pub(crate) error_ratio: Option<f64>,
}

/// Error signals of the polls since the last reset.
#[derive(Debug, Clone, Default)]
pub(crate) struct ErrorDetector {
    /// One bit per poll, the latest in bit 0. Set if the poll shows a symptom.
    symptomatic: u32,
    /// Consecutive polls in which the ratio rule holds.
    ratio_run: u32,
    onset: Option<Time>,
    last: ErrorSignal,
}

// === impl ErrorSignal ===

impl ErrorSignal {
    /// Evaluates both rules over the windows of one poll.
    pub(crate) fn evaluate(
        fast: Option<&Delta>,
        slow: Option<&Delta>,
        config: &EvidenceConfig,
    ) -> Self {
        let enough = |delta: &&Delta| delta.requests.is_some_and(|n| n >= config.ratio_requests);
        let clear = config.clear_factor.clamp(0.0, 1.0);
        let window = fast.filter(enough).or(slow.filter(enough));
        let error_ratio = window.and_then(|delta| delta.ratio(delta.errors));
        let ratio = error_ratio.is_some_and(|ratio| ratio > config.ratio_threshold);
        let ratio_clear = error_ratio.is_none_or(|ratio| ratio <= config.ratio_threshold * clear);

        // The app has recovered if the fast window has many requests and hardly an error.
        let recovered = fast.filter(enough).is_some()
            && error_ratio.is_some_and(|ratio| ratio < config.count_share * clear);
        let count_rule = |share: f64| {
            slow.is_some_and(|delta| {
                delta.errors.is_some_and(|errors| {
                    errors > config.count_errors
                        && delta
                            .requests
                            .is_none_or(|n| as_f64(errors) >= share * as_f64(n))
                })
            }) && !recovered
        };
        Self {
            count: count_rule(config.count_share),
            ratio,
            clear: ratio_clear && !count_rule(config.count_share * clear),
            error_ratio,
        }
    }

    /// Returns `true` if either rule holds.
    pub(crate) fn is_present(self) -> bool {
        self.count || self.ratio
    }
}

// === impl ErrorDetector ===

impl ErrorDetector {
    /// Adds a poll.
    pub(crate) fn observe(&mut self, now: Time, signal: ErrorSignal) {
        let active = self.last.is_present() || self.symptomatic & 1 == 1;
        let symptom = signal.is_present() || (active && !signal.clear);
        if symptom && self.symptomatic == 0 {
            self.onset = Some(now);
        }
        self.symptomatic = self.symptomatic << 1 | u32::from(symptom);
        self.ratio_run = if signal.ratio {
            self.ratio_run.saturating_add(1)
        } else {
            0
        };
        if self.symptomatic == 0 {
            self.onset = None;
        }
        self.last = signal;
    }

    /// Discards all polls.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Returns `true` if the latest poll shows a symptom.
    pub(crate) fn is_symptomatic(&self) -> bool {
        self.symptomatic & 1 == 1
    }

    /// Returns the time of the first poll that showed the symptom.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.onset
    }

    /// Returns the errors per request of the latest poll, if there were enough requests.
    pub(crate) fn error_ratio(&self) -> Option<f64> {
        self.last.error_ratio
    }

    /// Returns the evidence for a soft heal.
    pub(crate) fn soft_evidence(&self, config: &EvidenceConfig) -> Option<Reason> {
        let of = config.soft_window_polls.clamp(1, 32);
        let recent = self.symptomatic & (u32::MAX >> (32 - of));
        let sustained = recent.count_ones() >= config.soft_polls.clamp(1, of);
        (sustained && self.is_symptomatic()).then_some(if self.last.ratio {
            Reason::ErrorRatio
        } else {
            Reason::ErrorCount
        })
    }

    /// Returns `true` if the ratio rule has held for long enough for a hard heal.
    pub(crate) fn is_ratio_sustained(&self, config: &EvidenceConfig) -> bool {
        self.ratio_run >= config.hard_polls.max(1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::{Health, Totals};
    use crate::window::{History, Sample};

    fn delta(requests: Option<u64>, errors: u64) -> Delta {
        let mut history = History::new(Duration::from_secs(60));
        for (seconds, requests, errors) in [(0, requests.map(|_| 0), 0), (10, requests, errors)] {
            let totals = Totals {
                requests_total: requests,
                errors_total: Some(errors),
                ..Totals::default()
            };
            let at = Time::default() + Duration::from_secs(seconds);
            history.push(
                Sample::of(
                    &Health {
                        totals,
                        ..Health::default()
                    },
                    at,
                ),
                None,
            );
        }
        history.delta(Duration::from_secs(10)).unwrap()
    }

    fn signal(fast: (u64, u64), slow: (u64, u64)) -> ErrorSignal {
        let (fast, slow) = (delta(Some(fast.0), fast.1), delta(Some(slow.0), slow.1));
        ErrorSignal::evaluate(Some(&fast), Some(&slow), &EvidenceConfig::default())
    }

    #[test]
    fn count_rule_needs_a_share_but_no_volume() {
        assert!(signal((0, 0), (6, 6)).count, "six of six requests");
        assert!(
            !signal((0, 0), (5, 5)).is_present(),
            "five errors do not exceed five"
        );
        assert!(signal((0, 0), (120, 6)).count, "exactly 5 %");
        assert!(!signal((0, 0), (121, 6)).is_present());
        assert!(
            !signal((10_000, 50), (60_000, 300)).is_present(),
            "0.5 % of much traffic is too small a share"
        );
    }

    #[test]
    fn ratio_rule_needs_volume() {
        assert!(signal((50, 6), (50, 6)).ratio);
        assert!(!signal((49, 49), (49, 49)).ratio);
        assert!(!signal((50, 5), (50, 5)).ratio, "10 % does not exceed 10 %");
        assert!(
            signal((1, 0), (50, 40)).ratio,
            "little traffic is evaluated in the slow window"
        );
    }

    #[test]
    fn symptom_clears_when_the_fast_window_has_no_errors() {
        assert!(!signal((500, 0), (600, 90)).is_present());
    }

    #[test]
    fn count_rule_holds_if_requests_are_not_counted() {
        let slow = delta(None, 6);
        let signal = ErrorSignal::evaluate(None, Some(&slow), &EvidenceConfig::default());
        assert!(signal.count && !signal.ratio);
        assert!(!ErrorSignal::evaluate(None, None, &EvidenceConfig::default()).is_present());
    }

    #[test]
    fn soft_evidence_needs_three_of_five_polls() {
        let config = EvidenceConfig::default();
        let at = |seconds| Time::default() + Duration::from_secs(seconds);
        let failing = ErrorSignal {
            count: true,
            ..ErrorSignal::default()
        };
        let healthy = ErrorSignal {
            clear: true,
            ..ErrorSignal::default()
        };
        let mut errors = ErrorDetector::default();
        let mut reasons = Vec::new();
        for (seconds, signal) in (0..).zip([
            failing, healthy, failing, healthy, failing, healthy, healthy, healthy,
        ]) {
            errors.observe(at(seconds), signal);
            reasons.push(errors.soft_evidence(&config));
        }
        assert_eq!(reasons.iter().position(Option::is_some), Some(4));
        assert_eq!(
            reasons.iter().flatten().count(),
            1,
            "a poll without the symptom is not evidence"
        );
        assert_eq!(errors.onset(), Some(at(0)));
    }

    #[test]
    fn active_symptom_clears_at_a_lower_threshold() {
        let at = |seconds| Time::default() + Duration::from_secs(seconds);
        let mut errors = ErrorDetector::default();
        errors.observe(at(0), signal((100, 20), (100, 20)));
        errors.observe(at(5), signal((100, 7), (100, 7)));
        assert!(
            errors.is_symptomatic(),
            "7 % is below the threshold but above the clearing threshold"
        );
        errors.observe(at(10), signal((1000, 20), (1000, 20)));
        assert!(!errors.is_symptomatic());
    }
}
