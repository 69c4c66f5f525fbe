//! Monotonic and wall clock for `healing-core`, which does not read clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use healing_core::observation::Now;
use tokio::time::Instant;

/// Origin of monotonic time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock(Instant);

impl SystemClock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Now {
        Now {
            monotonic: self.0.elapsed(),
            // A machine whose clock is before 1970 has no usable wall time.
            wall: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or(Duration::ZERO),
        }
    }
}
