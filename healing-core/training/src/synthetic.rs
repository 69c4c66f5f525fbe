//! Synthetic data of the original system: its five features, labelled by its own rule.
//!
//! It is kept as the training data of that system and does not represent a real app, because the rule
//! treats 12 % of a healthy app's polls (`cpu > 80`). The default model learns from the [simulator](super::simulator).

use super::dataset::{Dataset, RowError};
use healing_core::decision::Action;
use healing_core::rng::Rng;

/// Number of rows of the original data set.
pub const ROWS: usize = 1000;
/// Seed of the original data set.
pub const SEED: u64 = 42;
/// Features of the original data set, in its order.
pub const FEATURES: [&str; 5] = [
    "cpu_usage",
    "memory_usage",
    "error_count",
    "uptime",
    "hour_of_day",
];

/// Generates rows of uniform integers: CPU and memory 0–99, errors 0–19, uptime 0–86399 s, hour 0–23.
///
/// # Errors
///
/// None in practice, because the values are finite.
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

/// Returns the label by the original system's rule.
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
    fn labels_and_ranges_match_original_generator() {
        let data = generate(20_000, SEED).unwrap();
        let share = data.class_counts().map(|count| count as f64 / 20_000.0);
        // Exact shares over the whole grid of values: 0.1968, 0.3487, 0.4545.
        for (share, expected) in share.into_iter().zip([0.1968, 0.3487, 0.4545]) {
            assert!(
                (share - expected).abs() < 0.01,
                "{share}, expected {expected}"
            );
        }
        for (feature, end) in [100.0, 100.0, 20.0, 86_400.0, 24.0].into_iter().enumerate() {
            let column = || data.column(feature);
            assert!(column().all(|value| value >= 0.0 && value < end && value.fract() == 0.0));
            assert!(column().fold(0.0, f32::max) > 0.95 * end - 1.0);
        }
    }

    #[test]
    fn rows_depend_on_seed_alone() {
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
