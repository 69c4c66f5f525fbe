//! SplitMix64: a small pseudo-random generator with a fixed, documented sequence.
//!
//! The policy draws its jitter from it, so its state (eight bytes) is saved with the policy. Training
//! and simulation draw their data from it, so a seed means the same data in every version of every
//! dependency. Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
//!
//! # Hazards
//!
//! - It is not for secrets.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Seeded SplitMix64 generator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rng(u64);

impl Rng {
    /// Returns a generator whose sequence depends on `seed` alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns an integer below `end` (0 for 0), by multiplication; its bias is at most 2⁻³².
    pub fn below(&mut self, end: u32) -> u32 {
        let wide = (self.bits() >> 32) * u64::from(end);
        #[allow(clippy::cast_possible_truncation)] // below `end`
        let low = (wide >> 32) as u32;
        low
    }

    /// Returns an index below `end` (0 for 0).
    pub fn index(&mut self, end: usize) -> usize {
        self.below(u32::try_from(end).unwrap_or(u32::MAX)) as usize
    }

    /// Returns a number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        #[allow(clippy::cast_precision_loss)] // 53 bits
        let unit = (self.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        unit
    }

    /// Returns a number in [`low`, `high`).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Returns a standard normal number (Box–Muller transform).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Returns a Poisson count with this mean (Knuth's method; from 30 on a rounded normal number).
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 {
            return 0;
        }
        if mean >= 30.0 {
            let value = (mean + mean.sqrt() * self.normal()).round().max(0.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative
            return value as u64;
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// Shuffles in place (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }

    /// Returns an independent generator for part `index`: parts do not shift when another draws more.
    #[must_use]
    pub fn part(&self, index: u64) -> Self {
        let mut part = Self(self.0 ^ index.wrapping_mul(0xd6e8_feb8_6659_fd93));
        part.bits();
        part
    }

    /// Returns `duration` lengthened by a random fraction of itself, at most `jitter` (0–10).
    pub fn jittered(&mut self, duration: Duration, jitter: f64) -> Duration {
        let most = if jitter.is_finite() {
            jitter.clamp(0.0, 10.0)
        } else {
            0.0
        };
        let factor = 1.0 + self.unit() * most;
        Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(duration)
    }

    /// Returns a random duration in [0, `most`).
    pub fn up_to(&mut self, most: Duration) -> Duration {
        Duration::try_from_secs_f64(most.as_secs_f64() * self.unit()).unwrap_or(most)
    }
}
