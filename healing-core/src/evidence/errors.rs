//! Errors: so many requests fail, for so long, that clients notice.
//!
//! - *Count rule*, for apps with little traffic: more than 5 errors that are at least 5 % of the
//!   requests in the slow window, or in a window that grows to ten minutes until it holds enough requests.
//! - *Ratio rule*, for busy apps: at least 50 requests in the window and a larger share of errors than
//!   the threshold.
//!
//! Errors that the app's [usual share](super::usual_errors) explains are not a symptom.
//!
//! Either rule justifies a soft heal after
//! [`soft_sustain_for`](crate::config::EvidenceConfig::soft_sustain_for). A hard heal needs the ratio rule
//! for [`hard_sustain_for`](crate::config::EvidenceConfig::hard_sustain_for) without interruption, with a
//! share that is significantly larger than the threshold, after soft heals did not help.
//!
//! # Hazards
//!
//! If an app does not count requests, the share is unknown, and the number of errors alone justifies a
//! soft heal, until soft heals have shown that their rate is usual. It never justifies a hard heal.

use super::counts::{Counts, INTERVALS_PER_SECOND, RESTART};
use super::sustained::Sustained;
use super::usual_errors::UsualErrors;
use crate::config::EvidenceConfig;
use crate::number::as_f64;
use crate::reason::Reason;
use crate::time::Time;
use crate::window::Delta;

/// Error signal of one poll.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ErrorSignal {
    /// Set if the count rule holds.
    pub(crate) count: bool,
    /// Set if the ratio rule holds.
    pub(crate) ratio: bool,
    /// Set if the ratio is significantly larger than its threshold.
    pub(crate) ratio_significant: bool,
    /// Set if a rule would hold, but the errors are usual for the app.
    pub(crate) usual: bool,
    /// Set if the effect of the latest treatment must be known first.
    pub(crate) awaiting_effect: bool,
    /// Set if the errors are below the lower, clearing thresholds of both rules (hysteresis).
    pub(crate) clear: bool,
    /// Errors per request, if there are enough requests for the ratio rule.
    pub(crate) error_ratio: Option<f64>,
}

/// Requests and errors of the windows of one poll.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ErrorWindows<'a> {
    pub(crate) fast: Option<&'a Delta>,
    pub(crate) slow: Option<&'a Delta>,
    /// Counts of a window that holds enough requests, if there are any in ten minutes.
    pub(crate) grown: Counts,
}

/// Error signals of the polls since the last reset.
#[derive(Debug, Clone, Default)]
pub(crate) struct ErrorDetector {
    /// Polls with a symptom.
    symptom: Sustained,
    /// Polls in which the ratio rule holds, significantly.
    ratio: Sustained,
    last: ErrorSignal,
}

// === impl ErrorSignal ===

impl ErrorSignal {
    /// Evaluates both rules over the windows of one poll.
    pub(crate) fn evaluate(
        windows: ErrorWindows<'_>,
        usual: &UsualErrors,
        config: &EvidenceConfig,
    ) -> Self {
        let ErrorWindows { fast, slow, grown } = windows;
        let enough = |delta: &&Delta| delta.requests.is_some_and(|n| n >= config.ratio_requests);
        let clear = config.clear_factor.clamp(0.0, 1.0);
        let window = fast.filter(enough).or(slow.filter(enough));
        let error_ratio = window.and_then(|delta| delta.ratio(delta.errors));
        let ratio = error_ratio.is_some_and(|ratio| ratio > config.ratio_threshold);
        let ratio_clear = error_ratio.is_none_or(|ratio| ratio <= config.ratio_threshold * clear);
        let exceeds = |delta: &Delta| {
            counts(delta).is_some_and(|counts| counts.exceed(config.ratio_threshold, RESTART))
        };

        // The app has recovered if the fast window has many requests and hardly an error.
        let recovered = fast.filter(enough).is_some()
            && error_ratio.is_some_and(|ratio| ratio < config.count_share * clear);
        let is_current = slow.is_some_and(|delta| delta.errors.is_some_and(|errors| errors > 0));
        let count_rule = |share: f64| {
            let in_slow = slow.is_some_and(|delta| {
                delta.errors.is_some_and(|errors| {
                    errors > config.count_errors
                        && delta
                            .requests
                            .is_none_or(|n| as_f64(errors) >= share * as_f64(n))
                })
            });
            let in_grown = is_current
                && grown.errors > as_f64(config.count_errors)
                && grown.errors >= share * grown.requests;
            (in_slow || in_grown) && !recovered
        };
        let count = count_rule(config.count_share);
        let explained = [window.and_then(counts), slow.and_then(counts), Some(grown)]
            .into_iter()
            .flatten()
            .all(|counts| usual.explain(counts));
        Self {
            count: count && !explained,
            ratio: ratio && !explained,
            ratio_significant: ratio
                && !explained
                && (window.is_some_and(exceeds) || slow.is_some_and(exceeds)),
            usual: (count || ratio) && explained,
            awaiting_effect: usual.await_effect(grown),
            clear: explained || (ratio_clear && !count_rule(config.count_share * clear)),
            error_ratio,
        }
    }

    /// Returns `true` if either rule holds.
    pub(crate) fn is_present(self) -> bool {
        self.count || self.ratio
    }
}

/// Returns the counts of a window. If requests are not counted, time takes their place. `None` if errors are
/// not counted.
fn counts(delta: &Delta) -> Option<Counts> {
    let errors = delta.errors?;
    Some(match delta.requests {
        Some(requests) => Counts::new(requests, errors),
        None => Counts {
            requests: delta.seconds * INTERVALS_PER_SECOND,
            errors: as_f64(errors),
        },
    })
}

// === impl ErrorDetector ===

impl ErrorDetector {
    /// Adds a poll.
    pub(crate) fn observe(&mut self, now: Time, signal: ErrorSignal, config: &EvidenceConfig) {
        let symptom = signal.is_present() || (self.symptom.is_active() && !signal.clear);
        self.symptom
            .observe_leaky(now, symptom, config.soft_sustain_for);
        self.ratio
            .observe(now, signal.ratio_significant, config.hard_sustain_for);
        self.last = signal;
    }

    /// Discards all polls.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Returns `true` if the latest poll shows a symptom.
    pub(crate) fn is_symptomatic(&self) -> bool {
        self.symptom.is_active()
    }

    /// Returns the time of the first poll that showed the symptom.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.symptom.onset()
    }

    /// Returns `true` if the errors of the latest poll are usual for the app.
    pub(crate) fn are_usual(&self) -> bool {
        self.last.usual
    }

    /// Returns the errors per request of the latest poll, if there were enough requests.
    pub(crate) fn error_ratio(&self) -> Option<f64> {
        self.last.error_ratio
    }

    /// Returns the evidence for a soft heal.
    pub(crate) fn soft_evidence(&self, config: &EvidenceConfig) -> Option<Reason> {
        let reason = if self.last.ratio {
            Reason::ErrorRatio
        } else {
            Reason::ErrorCount
        };
        let is_firing = self.symptom.is_firing(config.soft_sustain_for);
        (is_firing && !self.last.awaiting_effect).then_some(reason)
    }

    /// Returns `true` if the ratio rule has held for long enough for a hard heal.
    pub(crate) fn is_ratio_sustained(&self, config: &EvidenceConfig) -> bool {
        self.ratio.is_firing(config.hard_sustain_for)
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
        evaluate(Some(&fast), Some(&slow), Counts::default())
    }

    fn evaluate(fast: Option<&Delta>, slow: Option<&Delta>, grown: Counts) -> ErrorSignal {
        let windows = ErrorWindows { fast, slow, grown };
        ErrorSignal::evaluate(windows, &UsualErrors::default(), &EvidenceConfig::default())
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
        let signal = evaluate(None, Some(&slow), Counts::default());
        assert!(signal.count && !signal.ratio);
        assert!(!evaluate(None, None, Counts::default()).is_present());
    }

    #[test]
    fn count_rule_holds_in_a_grown_window_while_errors_continue() {
        let grown = Counts::new(8, 6);
        let (failing, idle) = (delta(Some(1), 1), delta(Some(1), 0));
        assert!(evaluate(None, Some(&failing), grown).count);
        assert!(!evaluate(None, Some(&idle), grown).count);
    }

    #[test]
    fn ratio_is_significant_only_if_chance_does_not_explain_it() {
        assert!(signal((60, 8), (60, 8)).ratio && !signal((60, 8), (60, 8)).ratio_significant);
        assert!(signal((60, 30), (60, 30)).ratio_significant);
        assert!(signal((1000, 120), (6000, 720)).ratio_significant);
    }

    #[test]
    fn soft_evidence_needs_time_with_a_symptom_at_every_poll_interval() {
        let config = EvidenceConfig::default();
        let failing = ErrorSignal {
            count: true,
            ..ErrorSignal::default()
        };
        for (interval, expected) in [(100, 9_500), (5_000, 10_000), (60_000, 120_000)] {
            let mut errors = ErrorDetector::default();
            let justified = (0..).step_by(interval).find(|&ms| {
                let now = Time::default() + Duration::from_millis(ms);
                errors.observe(now, failing, &config);
                errors.soft_evidence(&config).is_some()
            });
            assert_eq!(justified, Some(expected));
            assert_eq!(errors.onset(), Some(Time::default()));
        }
    }

    #[test]
    fn active_symptom_clears_at_a_lower_threshold() {
        let at = |seconds| Time::default() + Duration::from_secs(seconds);
        let config = EvidenceConfig::default();
        let mut errors = ErrorDetector::default();
        errors.observe(at(0), signal((100, 20), (100, 20)), &config);
        errors.observe(at(5), signal((100, 7), (100, 7)), &config);
        assert!(
            errors.is_symptomatic(),
            "7 % is below the threshold but above the clearing threshold"
        );
        errors.observe(at(10), signal((1000, 20), (1000, 20)), &config);
        assert!(!errors.is_symptomatic());
    }
}
