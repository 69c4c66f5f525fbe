//! Repeated panics of handlers, for example on a poisoned lock or on a value that broke an invariant.
//! Such state persists until the process restarts, and hooks run in the same process.
//!
//! A soft heal still comes first, because its evidence is due earlier after the last treatment.

use crate::config::EvidenceConfig;
use crate::number::as_f64;
use crate::window::Delta;

/// Returns `true` if handlers panic in the fast window, and in a large enough share of the requests of the
/// slow window.
pub(crate) fn detect(fast: Option<&Delta>, slow: Option<&Delta>, config: &EvidenceConfig) -> bool {
    let current = fast
        .and_then(|delta| delta.panics)
        .is_some_and(|panics| panics > 0);
    current
        && slow.is_some_and(|delta| match (delta.panics, delta.requests) {
            (Some(panics), Some(requests)) => {
                panics > config.count_errors
                    && as_f64(panics) >= config.panic_share * as_f64(requests)
            }
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::{Health, Totals};
    use crate::time::Time;
    use crate::window::{History, Sample};

    fn delta(requests: Option<u64>, panics: Option<u64>) -> Delta {
        let mut history = History::new(Duration::from_secs(60));
        for (seconds, factor) in [(0, 0), (10, 1)] {
            let totals = Totals {
                requests_total: requests.map(|n| n * factor),
                panics_total: panics.map(|n| n * factor),
                ..Totals::default()
            };
            let health = Health {
                totals,
                ..Health::default()
            };
            let at = Time::default() + Duration::from_secs(seconds);
            history.push(Sample::of(&health, at), None);
        }
        history.delta(Duration::from_secs(10)).unwrap()
    }

    fn panics(fast: u64, slow: (u64, u64)) -> bool {
        let (fast, slow) = (
            delta(Some(50), Some(fast)),
            delta(Some(slow.0), Some(slow.1)),
        );
        detect(Some(&fast), Some(&slow), &EvidenceConfig::default())
    }

    #[test]
    fn panics_are_a_symptom_if_frequent_and_ongoing() {
        assert!(panics(1, (120, 6)), "exactly 5 %");
        assert!(!panics(1, (121, 6)));
        assert!(!panics(1, (5, 5)), "five panics do not exceed five");
        assert!(!panics(0, (100, 50)), "no panic in the fast window");
    }

    #[test]
    fn uncounted_panics_are_not_evidence() {
        let (unknown, known) = (delta(None, None), delta(Some(100), Some(50)));
        let config = EvidenceConfig::default();
        assert!(!detect(Some(&unknown), Some(&known), &config));
        assert!(!detect(Some(&known), Some(&unknown), &config));
        assert!(!detect(None, None, &config));
    }
}
