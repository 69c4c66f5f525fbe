//! Looks of the runtime at its sockets and timers, and the order of the tasks between them.
//!
//! An async runtime learns of readable sockets, closed connections and ended timers only when it looks. It
//! looks when no task is ready, and else after a number of tasks (tokio: `event_interval`). While tasks are
//! slow, that takes long: in a convoy at 120 ms a task, 61 tasks are 7 s. A new connection needs two looks,
//! one to be accepted and one to be read.
//!
//! A worker takes slow tasks in turn from the queue that all workers share, the oldest first, and from its
//! own, which other workers and the last task to be woken disturb: here every second task is the oldest, and
//! the others are taken in no order, without a random number.
//! Source: tokio 1.x, `runtime::scheduler::multi_thread`.

/// Fractional part of the golden ratio, whose multiples are spread evenly over [0, 1).
const GOLDEN_RATIO: f64 = 0.618_033_988_749_894_9;

/// Times of the looks, and order of the tasks between them.
#[derive(Debug)]
pub(super) struct Looks {
    /// Tasks after which a look is due.
    interval: u32,
    /// Tasks since the last look.
    tasks: u32,
    /// Time of the last look.
    at: f64,
    /// Set if the next task is the oldest.
    is_oldest_next: bool,
    /// Number in [0, 1) that selected the last task that was not the oldest.
    order: f64,
}

// === impl Looks ===

impl Looks {
    /// Returns the looks of a runtime that starts.
    pub(super) fn new(interval: u32) -> Self {
        Self {
            interval,
            tasks: 0,
            at: 0.0,
            is_oldest_next: true,
            order: 0.0,
        }
    }

    /// Returns `true` if a look is due though a task is ready.
    pub(super) fn is_due(&self) -> bool {
        self.tasks >= self.interval
    }

    /// Counts a task that is taken at a time, and returns its index among those that are `ready`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below `ready`
    #[allow(clippy::cast_precision_loss)] // small
    pub(super) fn next_task(&mut self, now: f64, ready: usize) -> usize {
        self.tasks += 1;
        // Without an event a look shows nothing, and is not recorded otherwise.
        if self.tasks > self.interval {
            self.record(now);
        }
        let is_oldest = self.is_oldest_next;
        self.is_oldest_next = !is_oldest;
        if is_oldest {
            return 0;
        }
        self.order = (self.order + GOLDEN_RATIO).fract();
        (self.order * ready as f64) as usize
    }

    /// Records a look.
    pub(super) fn record(&mut self, now: f64) {
        self.tasks = 0;
        self.at = now;
    }

    /// Returns `true` if a look has shown what happened at a time.
    pub(super) fn has_noticed(&self, happened_at: f64) -> bool {
        happened_at <= self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_is_due_after_the_interval() {
        let mut looks = Looks::new(3);
        assert!(!looks.is_due());
        for at in [1.0, 2.0, 3.0] {
            looks.next_task(at, 1);
        }
        assert!(looks.is_due() && !looks.has_noticed(0.5));
        looks.record(4.0);
        assert!(!looks.is_due() && looks.has_noticed(3.5) && !looks.has_noticed(4.5));
    }

    #[test]
    fn every_second_task_is_the_oldest_and_the_others_are_spread_evenly() {
        let mut looks = Looks::new(61);
        let mut taken = [0; 10];
        for number in 0..2000 {
            let index = looks.next_task(0.0, 10);
            assert!(number % 2 == 1 || index == 0);
            taken[index] += u32::from(number % 2 == 1);
        }
        assert!(
            taken.iter().all(|count| (90..=110).contains(count)),
            "{taken:?}"
        );
    }
}
