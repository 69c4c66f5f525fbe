//! Both clocks for a core that has none.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use healing_core::observation::Now;
use tokio::time::Instant;

/// Monotonic time counts from here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn now(self) -> Now {
        Now {
            monotonic: self.0.elapsed(),
            // A machine whose clock stands before 1970 has no usable wall time.
            wall: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or(Duration::ZERO),
        }
    }
}
