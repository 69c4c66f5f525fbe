//! Awaited resource: slots, leaked slots, and the requests that wait for one.

use std::collections::VecDeque;

use super::requests::Key;

/// State of the pool.
#[derive(Debug, Default)]
pub(super) struct PoolState {
    slots: u32,
    in_use: u32,
    /// Number of leaked slots, with the fraction of the next.
    pub(super) leaked: f64,
    /// Requests that wait, with the time since which they do.
    waiting: VecDeque<(f64, Key)>,
}

// === impl PoolState ===

impl PoolState {
    /// Returns a pool with free slots.
    pub(super) fn new(slots: u32) -> Self {
        Self {
            slots,
            ..Self::default()
        }
    }

    /// Takes a slot, or queues the request for one. Returns `true` if it was taken.
    pub(super) fn acquire(&mut self, now: f64, key: Key) -> bool {
        if self.in_use < self.usable() {
            self.in_use += 1;
            true
        } else {
            self.waiting.push_back((now, key));
            false
        }
    }

    /// Gives a slot back.
    pub(super) fn release(&mut self) {
        self.in_use = self.in_use.saturating_sub(1);
    }

    /// Removes the first waiting request, if a slot is free, and takes the slot.
    pub(super) fn next(&mut self, is_live: impl Fn(Key) -> bool) -> Option<Key> {
        while self.in_use < self.usable() {
            let (_, key) = self.waiting.pop_front()?;
            if is_live(key) {
                self.in_use += 1;
                return Some(key);
            }
        }
        None
    }

    /// Returns the time since which the first request waits.
    pub(super) fn first_since(&self) -> Option<f64> {
        self.waiting.front().map(|(since, _)| *since)
    }

    /// Removes the first request that has waited since `before` or longer.
    pub(super) fn expired(&mut self, before: f64) -> Option<Key> {
        let first = self
            .waiting
            .front()
            .is_some_and(|(since, _)| *since <= before);
        first
            .then(|| self.waiting.pop_front())
            .flatten()
            .map(|(_, key)| key)
    }

    /// Returns `true` if nearly all slots have leaked.
    pub(super) fn is_exhausted(&self) -> bool {
        f64::from(self.usable()) < 0.15 * f64::from(self.slots)
    }

    /// Leaks slots.
    pub(super) fn leak(&mut self, slots: f64) {
        self.leaked = (self.leaked + slots).min(f64::from(self.slots));
    }

    /// Removes all requests.
    pub(super) fn clear(&mut self) {
        self.in_use = 0;
        self.waiting.clear();
    }

    /// Returns the number of slots that have not leaked.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most `slots`
    fn usable(&self) -> u32 {
        self.slots - (self.leaked.floor() as u32).min(self.slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::simulation::testing::keys;

    #[test]
    fn free_slot_goes_to_the_first_live_request() {
        let [holder, gone, next] = keys();
        let mut pool = PoolState::new(1);
        assert!(pool.acquire(0.0, holder));
        assert!(!pool.acquire(1.0, gone) && !pool.acquire(2.0, next));
        assert_eq!(pool.next(|_| true), None, "no slot is free");
        pool.release();
        assert_eq!(pool.next(|key| key != gone), Some(next));
    }

    #[test]
    fn request_expires_after_its_waiting_time() {
        let [first, second, _] = keys();
        let mut pool = PoolState::new(0);
        pool.acquire(1.0, first);
        pool.acquire(2.0, second);
        assert_eq!(pool.expired(0.9), None);
        assert_eq!(pool.expired(1.0), Some(first));
        assert_eq!(pool.first_since(), Some(2.0));
    }

    #[test]
    fn leaked_slots_are_not_given_away() {
        let [first, second, _] = keys();
        let mut pool = PoolState::new(2);
        pool.leak(1.5);
        assert!(pool.acquire(0.0, first) && !pool.acquire(0.0, second));
        pool.leak(9.0);
        assert!(pool.is_exhausted());
    }
}
