//! Errors: are there so many that clients must notice, and do they go on?
//!
//! - *Count rule*, for apps with little traffic: more than 5 errors that are at least 5 % of the
//!   requests in the slow window.
//! - *Ratio rule*, for apps with much: at least 50 requests in the window and a larger share of errors
//!   than the threshold.
//!
//! Either, in 3 of 5 polls, justifies a soft heal. A hard heal needs the ratio rule in 5 polls in a
//! row after soft heals did not help.
//!
//! Hazard: where an app counts no requests the share is unknown, and the count alone justifies a soft
//! heal; it never justifies a hard one.

use crate::config::EvidenceConfig;
use crate::decision::Reason;
use crate::time::Time;
use crate::window::{Delta, as_f64};

/// What one poll shows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Signs {
    pub(crate) count: bool,
    pub(crate) ratio: bool,
    /// Neither holds by the lower thresholds for what was noticed already.
    pub(crate) clear: bool,
    /// Errors per request where the ratio rule has enough requests.
    pub(crate) error_ratio: Option<f64>,
}

/// What the polls since the last cut showed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Errors {
    /// The latest poll in the lowest bit.
    symptomatic: u32,
    ratio_run: u32,
    onset: Option<Time>,
    last: Signs,
}

// === impl Signs ===

impl Signs {
    pub(crate) fn read(
        fast: Option<&Delta>,
        slow: Option<&Delta>,
        config: &EvidenceConfig,
    ) -> Self {
        let enough = |delta: &&Delta| delta.requests.is_some_and(|n| n >= config.ratio_requests);
        let clear = config.clear_factor.clamp(0.0, 1.0);
        let judged = fast.filter(enough).or(slow.filter(enough));
        let error_ratio = judged.and_then(|delta| delta.ratio(delta.errors));
        let ratio = error_ratio.is_some_and(|ratio| ratio > config.ratio_threshold);
        let ratio_clear = error_ratio.is_none_or(|ratio| ratio <= config.ratio_threshold * clear);

        // Much traffic and hardly an error in the fast window: it is over.
        let over = fast.filter(enough).is_some()
            && error_ratio.is_some_and(|ratio| ratio < config.count_share * clear);
        let counts = |share: f64| {
            slow.is_some_and(|delta| {
                delta.errors.is_some_and(|errors| {
                    errors > config.count_errors
                        && delta
                            .requests
                            .is_none_or(|n| as_f64(errors) >= share * as_f64(n))
                })
            }) && !over
        };
        Self {
            count: counts(config.count_share),
            ratio,
            clear: ratio_clear && !counts(config.count_share * clear),
            error_ratio,
        }
    }

    pub(crate) fn any(self) -> bool {
        self.count || self.ratio
    }
}

// === impl Errors ===

impl Errors {
    /// Takes in a poll.
    pub(crate) fn observe(&mut self, now: Time, signs: Signs) {
        let noticed = self.last.any() || self.symptomatic & 1 == 1;
        let symptom = signs.any() || (noticed && !signs.clear);
        if symptom && self.symptomatic == 0 {
            self.onset = Some(now);
        }
        self.symptomatic = self.symptomatic << 1 | u32::from(symptom);
        self.ratio_run = if signs.ratio {
            self.ratio_run.saturating_add(1)
        } else {
            0
        };
        if self.symptomatic == 0 {
            self.onset = None;
        }
        self.last = signs;
    }

    /// At a treatment, a restart or a gap: only what comes after counts.
    pub(crate) fn cut(&mut self) {
        *self = Self::default();
    }

    /// The latest poll shows a symptom.
    pub(crate) fn is_symptomatic(&self) -> bool {
        self.symptomatic & 1 == 1
    }

    /// When the symptom was first seen.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.onset
    }

    pub(crate) fn error_ratio(&self) -> Option<f64> {
        self.last.error_ratio
    }

    /// The reason for a soft heal, once it has lasted.
    pub(crate) fn soft(&self, config: &EvidenceConfig) -> Option<Reason> {
        let of = config.soft_window_polls.clamp(1, 32);
        let recent = self.symptomatic & (u32::MAX >> (32 - of));
        let lasted = recent.count_ones() >= config.soft_polls.clamp(1, of);
        (lasted && self.is_symptomatic()).then_some(if self.last.ratio {
            Reason::ErrorRatio
        } else {
            Reason::ErrorCount
        })
    }

    /// The ratio rule has held for long enough for a hard heal.
    pub(crate) fn ratio_lasts(&self, config: &EvidenceConfig) -> bool {
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

    fn signs(fast: (u64, u64), slow: (u64, u64)) -> Signs {
        let (fast, slow) = (delta(Some(fast.0), fast.1), delta(Some(slow.0), slow.1));
        Signs::read(Some(&fast), Some(&slow), &EvidenceConfig::default())
    }

    #[test]
    fn count_rule_needs_no_traffic_but_a_share() {
        assert!(signs((0, 0), (6, 6)).count, "six errors at rest");
        assert!(!signs((0, 0), (5, 5)).any(), "five are not more than five");
        assert!(signs((0, 0), (120, 6)).count, "exactly 5 %");
        assert!(!signs((0, 0), (121, 6)).any());
        assert!(
            !signs((10_000, 50), (60_000, 300)).any(),
            "0.5 % of much traffic is a floor"
        );
    }

    #[test]
    fn ratio_rule_needs_volume() {
        assert!(signs((50, 6), (50, 6)).ratio);
        assert!(!signs((49, 49), (49, 49)).ratio);
        assert!(!signs((50, 5), (50, 5)).ratio, "10 % is not above 10 %");
        assert!(
            signs((1, 0), (50, 40)).ratio,
            "little traffic is judged in the slow window"
        );
    }

    #[test]
    fn an_app_that_recovered_by_itself_is_not_treated() {
        assert!(!signs((500, 0), (600, 90)).any());
    }

    #[test]
    fn without_a_count_of_requests_the_count_of_errors_must_do() {
        let slow = delta(None, 6);
        let signs = Signs::read(None, Some(&slow), &EvidenceConfig::default());
        assert!(signs.count && !signs.ratio);
        assert!(!Signs::read(None, None, &EvidenceConfig::default()).any());
    }

    #[test]
    fn it_takes_three_of_five_polls() {
        let config = EvidenceConfig::default();
        let at = |seconds| Time::default() + Duration::from_secs(seconds);
        let ill = Signs {
            count: true,
            ..Signs::default()
        };
        let well = Signs {
            clear: true,
            ..Signs::default()
        };
        let mut errors = Errors::default();
        let mut reasons = Vec::new();
        for (seconds, signs) in (0..).zip([ill, well, ill, well, ill, well, well, well]) {
            errors.observe(at(seconds), signs);
            reasons.push(errors.soft(&config));
        }
        assert_eq!(reasons.iter().position(Option::is_some), Some(4));
        assert_eq!(
            reasons.iter().flatten().count(),
            1,
            "a poll without the symptom heals nothing"
        );
        assert_eq!(errors.onset(), Some(at(0)));
    }

    #[test]
    fn what_was_noticed_clears_at_a_lower_threshold() {
        let at = |seconds| Time::default() + Duration::from_secs(seconds);
        let mut errors = Errors::default();
        errors.observe(at(0), signs((100, 20), (100, 20)));
        errors.observe(at(5), signs((100, 7), (100, 7)));
        assert!(
            errors.is_symptomatic(),
            "7 % is below the threshold but not clear"
        );
        errors.observe(at(10), signs((1000, 20), (1000, 20)));
        assert!(!errors.is_symptomatic());
    }
}
