//! Restart budget: a rate limit over a sliding window. If nothing else throttles restarts (the kubelet
//! does not throttle exit 88), it is the only limit. It is therefore spent *before* a restart and not
//! refunded, even if the restart is aborted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::PermissionConfig;
use crate::time::Time;

/// Restarts within the window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Budget {
    /// Start times of the restarts, oldest first.
    spent: Vec<Time>,
}

/// Maximum number of restarts that a configuration can allow.
const CAPACITY: usize = 16;

impl Budget {
    /// Returns a full budget.
    pub(super) fn new() -> Self {
        Self {
            spent: Vec::with_capacity(CAPACITY),
        }
    }

    /// Records the start of a restart.
    pub(super) fn spend(&mut self, now: Time) {
        if self.spent.len() >= CAPACITY {
            self.spent.remove(0);
        }
        self.spent.push(now);
    }

    /// Returns the number of restarts that are still allowed.
    pub(super) fn remaining(&self, now: Time, config: &PermissionConfig) -> u32 {
        let spent = self.within(now, config.budget_window);
        u32::try_from(spent).map_or(0, |spent| config.budget.min(16).saturating_sub(spent))
    }

    /// Returns the number of restarts in the last `window`.
    fn within(&self, now: Time, window: Duration) -> usize {
        self.spent
            .iter()
            .filter(|&&spent| now.since(spent) < window)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_refills_one_restart_at_a_time() {
        let config = PermissionConfig::default();
        let at = |seconds| Time::default() + Duration::from_secs(seconds);
        let mut budget = Budget::new();
        assert_eq!(budget.remaining(at(0), &config), 3);
        for seconds in [0, 100, 200] {
            budget.spend(at(seconds));
        }
        assert_eq!(budget.remaining(at(200), &config), 0);
        assert_eq!(budget.remaining(at(1799), &config), 0);
        assert_eq!(budget.remaining(at(1800), &config), 1);
        assert_eq!(budget.remaining(at(9999), &config), 3);
    }

    #[test]
    fn budget_stays_exhausted_after_any_number_of_restarts() {
        let config = PermissionConfig {
            budget: 16,
            ..PermissionConfig::default()
        };
        let mut budget = Budget::new();
        for _ in 0..100 {
            budget.spend(Time::default());
        }
        assert_eq!(budget.remaining(Time::default(), &config), 0);
    }
}
