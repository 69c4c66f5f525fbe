//! Errors: so many requests fail, for so long, that clients must notice.
//!
//! - *Count rule*, for apps with little traffic: more than 5 errors that are at least 5 % of the
//!   requests in the slow window.
//! - *Ratio rule*, for apps with much: at least 50 requests in the window and a larger share of errors
//!   than the threshold.
//!
//! Either, in 3 of 5 polls, justifies a soft heal. A hard heal needs the ratio rule in 5 polls in a
//! row after soft heals did not help.
//!
//! # Hazards
//!
//! Where an app counts no requests the share is unknown, and the count alone justifies a soft heal; it
//! never justifies a hard one.

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
    /// Set if neither rule holds by the lower thresholds that end a symptom (hysteresis).
    pub(crate) clear: bool,
    /// Errors per request, where there are enough requests for the ratio rule.
    pub(crate) error_ratio: Option<f64>,
}

/// Error signals of the polls since the last reset.
#[derive(Debug, Clone, Default)]
pub(crate) struct ErrorDetector {
    /// One bit a poll, the latest lowest: set if it shows a symptom.
    symptomatic: u32,
    /// Polls in a row in which the ratio rule holds.
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

        // Much traffic and hardly an error in the fast window: the app has recovered.
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

    /// Reports if either rule holds.
    pub(crate) fn is_present(self) -> bool {
        self.count || self.ratio
    }
}

// === impl Errors ===

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

    /// Forgets all polls.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Reports if the latest poll shows a symptom.
    pub(crate) fn is_symptomatic(&self) -> bool {
        self.symptomatic & 1 == 1
    }

    /// Returns the time of the first poll that showed the symptom.
    pub(crate) fn onset(&self) -> Option<Time> {
        self.onset
    }

    /// Returns the errors per request of the latest poll, where there were enough requests.
    pub(crate) fn error_ratio(&self) -> Option<f64> {
        self.last.error_ratio
    }

    /// Returns the sustained reason for a soft heal.
    pub(crate) fn soft_symptom(&self, config: &EvidenceConfig) -> Option<Reason> {
        let of = config.soft_window_polls.clamp(1, 32);
        let recent = self.symptomatic & (u32::MAX >> (32 - of));
        let sustained = recent.count_ones() >= config.soft_polls.clamp(1, of);
        (sustained && self.is_symptomatic()).then_some(if self.last.ratio {
            Reason::ErrorRatio
        } else {
            Reason::ErrorCount
        })
    }

    /// Reports if the ratio rule has held for long enough for a hard heal.
    pub(crate) fn is_ratio_sustained(&self, config: &EvidenceConfig) -> bool {
        self.ratio_run >= config.hard_polls.max(1)
    }
}
