//! `SplitMix64`: pseudo-random numbers for jitter, with eight bytes of state and the same sequence on
//! every machine.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Generator; its state is the seed of the next number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns a number in [0, 1).
    #[allow(clippy::cast_precision_loss)] // 53 bits fit exactly
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns `duration`, longer by a random part of itself, at most `jitter`.
    pub(crate) fn jittered(&mut self, duration: Duration, jitter: f64) -> Duration {
        let factor = 1.0
            + self.unit()
                * if jitter.is_finite() {
                    jitter.clamp(0.0, 10.0)
                } else {
                    0.0
                };
        Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(duration)
    }

    /// Returns a duration between zero and `max`.
    pub(crate) fn up_to(&mut self, max: Duration) -> Duration {
        Duration::try_from_secs_f64(max.as_secs_f64() * self.unit()).unwrap_or(max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_only_lengthens_a_duration() {
        let mut rng = Rng(42);
        let pause = Duration::from_secs(60);
        for _ in 0..1000 {
            let jittered = rng.jittered(pause, 0.5);
            assert!(jittered >= pause && jittered <= pause.mul_f64(1.5));
            assert!(rng.up_to(pause) < pause);
        }
        assert_eq!(rng.jittered(pause, f64::NAN), pause);
    }
}
