//! Last resort: one restart in spite of load, when goodput has been almost gone for minutes.
//!
//! A *metastable failure* (Bronson et al., HotOS 2021) outlives the surge that caused it: retries and queues
//! of dead requests keep it going. Much less load or a restart ends it, and there is nothing left to lose.

use super::run::Run;
use crate::config::ImpairmentConfig;
use crate::time::Time;

/// Impairment from which goodput is almost gone.
const ALMOST_GONE: f64 = 0.9;

/// Polls with hardly any goodput.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LastResort(Run);

// === impl LastResort ===

impl LastResort {
    /// Adds a poll.
    pub(super) fn observe(&mut self, now: Time, ratio: Option<f64>) {
        self.0
            .observe(now, ratio.is_some_and(|ratio| ratio >= ALMOST_GONE));
    }

    /// Returns `true` if goodput has been almost gone for long enough.
    pub(super) fn is_due(&self, config: &ImpairmentConfig) -> bool {
        self.0.has_lasted(config.last_resort_after)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn last_resort_is_due_after_minutes_without_goodput() {
        let config = ImpairmentConfig::default();
        let due_at = |ratio| {
            let mut last_resort = LastResort::default();
            (0..600_u64).step_by(5).find(|&seconds| {
                last_resort.observe(Time::default() + Duration::from_secs(seconds), ratio);
                last_resort.is_due(&config)
            })
        };
        assert_eq!(due_at(Some(0.9)), Some(300));
        assert_eq!(due_at(Some(0.89)), None);
        assert_eq!(due_at(None), None);
    }
}
