//! Distributions of times: service, waiting, thinking, patience.

use healing_core::rng::Rng;

/// Distribution of a time in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distribution {
    /// Always this value.
    Fixed(f64),
    /// Exponential with this mean.
    Exponential(f64),
    /// Lognormal with this mean and this standard deviation of the logarithm.
    Lognormal(f64, f64),
}

// === impl Distribution ===

impl Distribution {
    /// Returns the mean.
    #[must_use]
    pub fn mean(self) -> f64 {
        match self {
            Self::Fixed(mean) | Self::Exponential(mean) | Self::Lognormal(mean, _) => mean,
        }
    }

    /// Draws a time.
    pub fn draw(self, rng: &mut Rng) -> f64 {
        match self {
            Self::Fixed(value) => value,
            Self::Exponential(mean) => mean * exponential(rng),
            Self::Lognormal(mean, sigma) => {
                mean * (sigma * rng.normal() - 0.5 * sigma * sigma).exp()
            }
        }
    }

    /// Returns the distribution with all times multiplied by `factor`.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        match self {
            Self::Fixed(mean) => Self::Fixed(mean * factor),
            Self::Exponential(mean) => Self::Exponential(mean * factor),
            Self::Lognormal(mean, sigma) => Self::Lognormal(mean * factor, sigma),
        }
    }
}

/// Draws an exponential number of mean 1.
pub(crate) fn exponential(rng: &mut Rng) -> f64 {
    -(1.0 - rng.unit()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_draws_match() {
        for distribution in [
            Distribution::Fixed(0.2),
            Distribution::Exponential(0.2),
            Distribution::Lognormal(0.2, 0.8),
        ] {
            let mut rng = Rng::new(1);
            let sum: f64 = (0..200_000).map(|_| distribution.draw(&mut rng)).sum();
            assert!((sum / 200_000.0 / distribution.mean() - 1.0).abs() < 0.01);
        }
    }
}
