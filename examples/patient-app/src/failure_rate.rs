//! Random failures at a configurable rate.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Source of random failures (SplitMix64).
///
/// It is not the generator of `healing-core`, because an app does not depend on the policy.
#[derive(Debug)]
pub(crate) struct FailureRate {
    share: f64,
    state: AtomicU64,
}

impl FailureRate {
    /// Creates a source that fails this share of the calls, from 0 to 1.
    pub(crate) fn new(share: f64) -> Self {
        Self {
            share,
            state: AtomicU64::new(RandomState::new().hash_one(0)),
        }
    }

    /// Returns `true` if this call fails.
    pub(crate) fn should_fail(&self) -> bool {
        let mut z = self
            .state
            .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        // An f64 represents 32 bits exactly.
        let unit = f64::from(u32::try_from(z >> 32).unwrap_or(u32::MAX)) / 4_294_967_296.0;
        unit < self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_have_the_configured_share() {
        for (share, low, high) in [(0.0, 0, 0), (0.2, 1800, 2200), (1.0, 10_000, 10_000)] {
            let rate = FailureRate::new(share);
            let failed = (0..10_000).filter(|_| rate.should_fail()).count();
            assert!((low..=high).contains(&failed), "{share}: {failed}");
        }
    }
}
