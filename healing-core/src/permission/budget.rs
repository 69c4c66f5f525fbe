//! The restart budget: so many in so much time, whoever asks. Where nothing else throttles restarts
//! (the kubelet does not throttle exit 88) it is the only brake, so it is spent *before* a restart
//! and not refunded, even when the restart is aborted: attempts count.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::PermissionConfig;
use crate::time::Time;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Budget {
    /// When restarts were begun, oldest first.
    spent: Vec<Time>,
}

/// Restarts that can be remembered: more than any configuration allows.
const MOST: usize = 16;

impl Budget {
    pub(crate) fn new() -> Self {
        Self {
            spent: Vec::with_capacity(MOST),
        }
    }

    pub(crate) fn spend(&mut self, now: Time) {
        if self.spent.len() >= MOST {
            self.spent.remove(0);
        }
        self.spent.push(now);
    }

    pub(crate) fn remaining(&self, now: Time, config: &PermissionConfig) -> u32 {
        let spent = self.within(now, config.budget_window);
        u32::try_from(spent).map_or(0, |spent| config.budget.min(16).saturating_sub(spent))
    }

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
    fn it_refills_one_restart_at_a_time() {
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
    fn it_survives_any_number_of_restarts() {
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
