//! The original system's synthetic data: five snapshot figures, labelled by its own rule.
//!
//! Kept because it is what that system learned from, not because it is good: the rule calls 12 % of
//! a healthy app's polls ill (`cpu > 80`). See [`situations`](super::simulator) for what the
//! default model should learn.

use super::dataset::{Dataset, RowError};
use healing_core::decision::Action;
use healing_core::rng::Rng;

/// Rows of the original's data set.
pub const ROWS: usize = 1000;
/// Its seed.
pub const SEED: u64 = 42;
/// Its features, in its order.
pub const FEATURES: [&str; 5] = [
    "cpu_usage",
    "memory_usage",
    "error_count",
    "uptime",
    "hour_of_day",
];

/// Uniform integers: CPU and memory 0–99, errors 0–19, uptime 0–86399 s, hour 0–23.
///
/// # Errors
/// None in practice: the figures are finite.
pub fn generate(rows: usize, seed: u64) -> Result<Dataset, RowError> {
    let mut rng = Rng::new(seed);
    let mut data = Dataset::new(FEATURES);
    for _ in 0..rows {
        let [cpu, memory, errors, uptime, hour] =
            [100, 100, 20, 86_400, 24].map(|end| rng.below(end));
        #[allow(clippy::cast_precision_loss)] // all below 2^24
        let row = [cpu, memory, errors, uptime, hour].map(|value| value as f32);
        data.push(&row, label(cpu, memory, errors), "synthetic")?;
    }
    Ok(data)
}

/// The original's rule.
#[must_use]
pub fn label(cpu: u32, memory: u32, errors: u32) -> Action {
    if errors > 10 || (cpu > 90 && memory > 90) {
        Action::RestartService
    } else if errors > 5 || cpu > 80 || memory > 80 {
        Action::ResetErrors
    } else {
        Action::NoAction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_ranges_are_the_originals() {
        let data = generate(20_000, SEED).unwrap();
        let share = data.class_counts().map(|count| count as f64 / 20_000.0);
        // Exactly 0.1968, 0.3487, 0.4545 over the whole grid of values.
        for (share, expected) in share.into_iter().zip([0.1968, 0.3487, 0.4545]) {
            assert!(
                (share - expected).abs() < 0.01,
                "{share} instead of {expected}"
            );
        }
        for (feature, end) in [100.0, 100.0, 20.0, 86_400.0, 24.0].into_iter().enumerate() {
            let column = || data.column(feature);
            assert!(column().all(|value| value >= 0.0 && value < end && value.fract() == 0.0));
            assert!(column().fold(0.0, f32::max) > 0.95 * end - 1.0);
        }
    }

    #[test]
    fn a_seed_means_the_same_rows_for_ever() {
        let data = generate(ROWS, SEED).unwrap();
        assert_eq!(data, generate(ROWS, SEED).unwrap());
        assert_ne!(data, generate(ROWS, SEED + 1).unwrap());
        assert_eq!(
            data.hash(),
            17_512_832_113_954_900_070,
            "the generator has changed"
        );
    }
}
