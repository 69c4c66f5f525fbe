//! Metastable failure: the load is within capacity, but the app works for clients that have left.
//!
//! A queue of dead requests survives its cause (a burst, retries, a slow boot); a restart drops it.
//! Sources: Bronson et al., "Metastable failures in distributed systems" (HotOS 2021).

use super::process::Phase;
use super::state::{Simulation, Task};

/// Load relative to the capacity below which the load is no reason for a queue.
const WITHIN_CAPACITY: f64 = 0.9;
/// Time for which the failure must persist to count, in seconds.
const MIN_DURATION: f64 = 60.0;

/// Observation of metastable failures.
#[derive(Debug, Default)]
pub(super) struct Collapse {
    since: Option<f64>,
    /// Time at which one first counted.
    pub(super) first: Option<f64>,
}

// === impl Collapse ===

impl Collapse {
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

    /// Reports if the failure has persisted for long enough to count.
    pub(super) fn is_persistent(&self, now: f64) -> bool {
        self.since.is_some_and(|since| now - since >= MIN_DURATION)
    }
}

impl Simulation<'_> {
    /// Reports if the first request of a queue has waited longer than its client, at a load within
    /// the capacity that the machine and the faults leave.
    pub(super) fn is_collapsed(&self) -> bool {
        let life = self.life;
        if self.process.phase != Phase::Serving || life.clients.closed.is_some() {
            return false;
        }
        let active = &self.faults.active;
        let is_sick = active.front_door_closed.is_some() || active.blocked > 0 || active.lock > 0.0;
        let cores = self.cpu.cores_left().min(life.cores());
        let changed = self.now >= life.service.mix_changes_at;
        let capacity = life
            .service
            .capacity_of_mix(cores, changed, active.pool_factor);
        if is_sick || life.clients.rate.at(self.now) > WITHIN_CAPACITY * capacity {
            return false;
        }
        let patience = life.clients.patience.mean();
        let front = self
            .front
            .iter()
            .find_map(|(since, task)| matches!(task, Task::Request(_)).then_some(*since));
        let waiting = [front, self.pool.first_since()];
        waiting
            .into_iter()
            .flatten()
            .any(|since| self.now - since > patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collapse_counts_after_a_minute() {
        let mut collapse = Collapse::default();
        for second in 0..200 {
            collapse.observe(f64::from(second), second != 30);
        }
        assert_eq!(collapse.first, Some(91.0));
        assert!(collapse.is_persistent(200.0));
    }
}
