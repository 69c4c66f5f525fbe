//! Restart budget: a rate limit over a sliding window. Where nothing else throttles restarts (the
//! kubelet does not throttle exit 88) it is the only limit, so it is spent *before* a restart and not
//! refunded, even if the restart is aborted: attempts count.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::PermissionConfig;
use crate::time::Time;

/// Restarts within the window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Budget {
    /// Begins of the restarts, oldest first.
    spent: Vec<Time>,
}

/// Capacity: no configuration allows more.
const CAPACITY: usize = 16;

impl Budget {
    /// Returns a full budget.
    pub(super) fn new() -> Self {
        Self {
            spent: Vec::with_capacity(CAPACITY),
        }
    }

    /// Records the begin of a restart.
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

    fn within(&self, now: Time, window: Duration) -> usize {
        self.spent
            .iter()
            .filter(|&&spent| now.since(spent) < window)
            .count()
    }
}
