//! Heartbeat of the control loop, read by the watchdog and the status server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// Time of the control loop's last beat. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Heartbeat {
    origin: Instant,
    /// Milliseconds since `origin`.
    last: Arc<AtomicU64>,
}

/// Weak reference to a heartbeat, for the watchdog.
#[derive(Debug, Clone)]
pub(crate) struct WeakHeartbeat {
    origin: Instant,
    last: Weak<AtomicU64>,
}

impl Heartbeat {
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            last: Arc::default(),
        }
    }

    /// Records a beat.
    pub(crate) fn beat(&self) {
        self.last.store(self.elapsed_millis(), Ordering::Relaxed);
    }

    /// Returns the time since the last beat.
    pub(crate) fn age(&self) -> Duration {
        let last = self.last.load(Ordering::Relaxed);
        Duration::from_millis(self.elapsed_millis().saturating_sub(last))
    }

    pub(crate) fn downgrade(&self) -> WeakHeartbeat {
        WeakHeartbeat {
            origin: self.origin,
            last: Arc::downgrade(&self.last),
        }
    }

    fn elapsed_millis(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl WeakHeartbeat {
    /// Returns the heartbeat, or `None` if its last owner was dropped.
    pub(crate) fn upgrade(&self) -> Option<Heartbeat> {
        Some(Heartbeat {
            origin: self.origin,
            last: self.last.upgrade()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beat_resets_age() {
        let heartbeat = Heartbeat::new();
        std::thread::sleep(Duration::from_millis(20));
        assert!(heartbeat.age() >= Duration::from_millis(19));
        heartbeat.beat();
        assert!(heartbeat.age() < Duration::from_millis(19));
    }

    #[test]
    fn weak_heartbeat_is_none_after_last_owner_is_dropped() {
        let heartbeat = Heartbeat::new();
        let weak = heartbeat.downgrade();
        assert!(weak.upgrade().is_some());
        drop(heartbeat);
        assert!(weak.upgrade().is_none());
    }
}
