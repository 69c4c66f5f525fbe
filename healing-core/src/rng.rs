//! SplitMix64: enough randomness for jitter, eight bytes of state, the same sequence everywhere.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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

    /// In [0, 1).
    #[allow(clippy::cast_precision_loss)] // 53 bits fit exactly
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `duration`, longer by a random part of itself, at most `jitter`.
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

    /// Between zero and `most`.
    pub(crate) fn up_to(&mut self, most: Duration) -> Duration {
        Duration::try_from_secs_f64(most.as_secs_f64() * self.unit()).unwrap_or(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_only_lengthens() {
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
