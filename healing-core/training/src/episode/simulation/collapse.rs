//! Metastable failure, in which the load is within capacity but the app works for clients that have left.
//!
//! A queue of dead requests survives its cause (a burst, retries, a slow boot); a restart drops it.
//! Sources: Bronson et al., "Metastable failures in distributed systems" (HotOS 2021).

use super::app::App;
use super::faults::Active;
use super::process::Phase;
use crate::episode::spec::Life;

/// Load relative to the capacity below which the load does not explain a queue.
const WITHIN_CAPACITY: f64 = 0.9;
/// Time for which the failure must persist to count, in seconds.
const MIN_DURATION: f64 = 60.0;

/// Detector of metastable failures.
#[derive(Debug, Default)]
pub(super) struct CollapseDetector {
    /// Time since which the failure persists.
    since: Option<f64>,
    /// Time at which a failure first counted.
    pub(super) first: Option<f64>,
}

// === impl CollapseDetector ===

impl CollapseDetector {
    /// Adds the state of a second.
    pub(super) fn observe(&mut self, now: f64, is_collapsed: bool) {
        if !is_collapsed {
            self.since = None;
            return;
        }
        let since = *self.since.get_or_insert(now);
        if now - since >= MIN_DURATION {
            self.first.get_or_insert(now);
        }
    }

    /// Returns `true` if the failure has persisted for long enough to count.
    pub(super) fn is_persistent(&self, now: f64) -> bool {
        self.since.is_some_and(|since| now - since >= MIN_DURATION)
    }
}

/// Returns `true` if the first request of a queue has waited longer than its client, at a load within
/// the capacity that the machine and the faults leave.
pub(super) fn is_collapsed(now: f64, life: &Life, app: &App<'_>, active: &Active) -> bool {
    if app.process.phase != Phase::Serving || life.clients.closed.is_some() {
        return false;
    }
    let is_sick = active.front_door_closed.is_some() || active.blocked > 0 || active.lock > 0.0;
    let cores = app.cpu.cores_left().min(life.cores());
    let changed = now >= life.service.mix_changes_at;
    let capacity = life
        .service
        .capacity_of_mix(cores, changed, active.pool_factor);
    if is_sick || life.clients.rate.at(now) > WITHIN_CAPACITY * capacity {
        return false;
    }
    let patience = life.clients.patience.mean();
    app.pipeline
        .waiting_since()
        .into_iter()
        .flatten()
        .any(|since| now - since > patience)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collapse_counts_after_a_minute() {
        let mut collapse = CollapseDetector::default();
        for second in 0..200 {
            collapse.observe(f64::from(second), second != 30);
        }
        assert_eq!(collapse.first, Some(91.0));
        assert!(collapse.is_persistent(200.0));
    }
}
