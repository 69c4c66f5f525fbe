//! Counts of requests and errors, and the part of their difference that chance explains.
//!
//! Chance is told from change by the bound of Chernoff and Hoeffding on the tail of the binomial
//! distribution: of *n* requests with a share *q* of errors, at least (or at most) *pn* fail with a
//! probability of no more than exp(−*n* D(*p*‖*q*)), where D is the relative entropy. The bound holds
//! for every *n*, and the test needs no minimum number.

use serde::{Deserialize, Serialize};

use crate::number::as_f64;

/// Requests, and the errors among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) requests: f64,
    pub(crate) errors: f64,
}

/// Significance of a change of a share. A day has some ten thousand polls, most of which are not independent.
pub(super) const CHANGE: f64 = 1e-6;
/// Significance with which a share must exceed a threshold to justify a restart: chance reaches it in at most
/// one of a thousand independent windows.
pub(super) const RESTART: f64 = 1e-3;
/// Number of intervals per second that take the place of requests if the app does not count them. It exceeds
/// the errors per second of small apps by far, so that hardly an interval would hold two.
pub(super) const INTERVALS_PER_SECOND: f64 = 100.0;
/// Number of requests that a sum remembers, so that it follows a slow drift.
const MEMORY: f64 = 1e6;

// === impl Counts ===

impl Counts {
    /// Returns the counts of integers, with at most as many errors as requests.
    pub(crate) fn new(requests: u64, errors: u64) -> Self {
        Self {
            requests: as_f64(requests),
            errors: as_f64(errors.min(requests)),
        }
    }

    /// Returns the errors per request; 0 without requests.
    pub(super) fn share(self) -> f64 {
        if self.requests > 0.0 {
            self.errors / self.requests
        } else {
            0.0
        }
    }

    /// Returns the share minus one standard deviation of the number of errors. A treatment follows many
    /// errors, so that the share before it is rather over- than underestimated.
    pub(super) fn lower_share(self) -> f64 {
        let errors = (self.errors - self.errors.sqrt()).max(0.0);
        errors / self.requests.max(1.0)
    }

    /// Returns the share plus one standard deviation of the number of errors.
    pub(crate) fn upper_share(self) -> f64 {
        let errors = self.errors + self.errors.sqrt() + 1.0;
        (errors / self.requests.max(1.0)).min(1.0)
    }

    /// Returns `true` if there are significantly more errors than a share explains.
    pub(crate) fn exceed(self, share: f64, significance: f64) -> bool {
        self.share() > share && self.differ_from(share, significance)
    }

    /// Returns `true` if there are significantly fewer errors than a share explains.
    pub(super) fn fall_below(self, share: f64, significance: f64) -> bool {
        self.share() < share && self.differ_from(share, significance)
    }

    fn differ_from(self, share: f64, significance: f64) -> bool {
        self.requests * relative_entropy(self.share(), share) >= -significance.ln()
    }

    /// Adds counts. The earlier ones are forgotten in proportion, so that the sum stays bounded.
    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        if self.requests > MEMORY {
            self.errors *= MEMORY / self.requests;
            self.requests = MEMORY;
        }
    }
}

/// Returns the relative entropy of two Bernoulli distributions, in nats.
fn relative_entropy(p: f64, q: f64) -> f64 {
    let q = q.clamp(1e-9, 1.0 - 1e-9);
    let term = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    term(p, q) + term(1.0 - p, 1.0 - q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chernoff_bound_bounds_the_binomial_tail() {
        // P(X >= 6) of 60 requests with a share of 5 % is 0.079.
        assert!(!Counts::new(60, 6).exceed(0.05, 0.079));
        assert!(Counts::new(6, 6).exceed(0.05, 1e-7), "0.05^6 = 1.6e-8");
        assert!(!Counts::new(6, 6).exceed(0.05, 1e-8));
        assert!(
            Counts::new(100, 0).fall_below(0.05, 6e-3),
            "0.95^100 = 5.9e-3"
        );
        assert!(!Counts::new(100, 0).fall_below(0.05, 5e-3));
        assert!(!Counts::new(0, 0).exceed(0.0, 0.5) && !Counts::new(0, 0).fall_below(1.0, 0.5));
    }
}
