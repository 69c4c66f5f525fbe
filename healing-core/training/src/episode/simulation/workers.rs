//! Workers of the runtime, and the process-wide lock that can block them.

/// State of the workers.
#[derive(Debug)]
pub(super) struct Workers {
    count: u32,
    busy: u32,
    /// Time at which the process-wide lock is free.
    lock_free: f64,
}

// === impl Workers ===

impl Workers {
    /// Returns idle workers.
    pub(super) fn new(count: u32) -> Self {
        Self {
            count,
            busy: 0,
            lock_free: 0.0,
        }
    }

    /// Returns the number of free workers while a fault blocks some.
    pub(super) fn free(&self, blocked: u32) -> u32 {
        self.count.saturating_sub(self.busy).saturating_sub(blocked)
    }

    /// Occupies a worker.
    pub(super) fn occupy(&mut self) {
        self.busy += 1;
    }

    /// Frees a worker.
    pub(super) fn release(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }

    /// Queues a worker for the lock, which it holds for `seconds`. Returns the time at which it
    /// gives the lock back.
    pub(super) fn lock(&mut self, now: f64, seconds: f64) -> f64 {
        self.lock_free = self.lock_free.max(now) + seconds;
        self.lock_free
    }

    /// Frees all workers and the lock.
    pub(super) fn clear(&mut self) {
        self.busy = 0;
        self.lock_free = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_and_blocked_workers_are_not_free() {
        let mut workers = Workers::new(3);
        workers.occupy();
        assert_eq!((workers.free(0), workers.free(1)), (2, 1));
        assert_eq!(workers.free(u32::MAX), 0);
        workers.release();
        assert_eq!(workers.free(0), 3);
    }

    #[test]
    fn lock_is_held_by_one_worker_at_a_time() {
        let mut workers = Workers::new(2);
        let ends = [1.0, 1.1, 9.0].map(|now| workers.lock(now, 2.0));
        assert_eq!(ends, [3.0, 5.0, 11.0]);
    }
}
