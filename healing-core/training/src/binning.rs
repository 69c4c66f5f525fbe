//! Binning of feature values before training, into at most 64 bins per feature.
//!
//! smartcore would use every midpoint between two values as a threshold, and the size of the compiled
//! forest depends on the number of thresholds. It is therefore trained on bin *numbers*. A threshold `t`
//! between bin numbers splits rows exactly as the boundary above bin `floor(t)` splits values, so the
//! forest over values makes the same decisions as the forest over bins.

use super::dataset::Dataset;
use healing_core::model::forest::round_down;

/// Maximum number of bins of a feature, which gives 63 thresholds.
pub const MAX_BINS: usize = 64;

/// Boundaries between the bins of each feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    boundaries: Vec<Vec<f32>>,
}

impl Bins {
    /// Computes the boundaries for a data set. They are between all neighbouring values of a feature with
    /// at most 64 distinct values, otherwise at 64 quantiles.
    #[must_use]
    pub fn of(data: &Dataset) -> Self {
        let boundaries = (0..data.features().len())
            .map(|feature| {
                let mut column: Vec<f32> = data.column(feature).collect();
                column.sort_by(f32::total_cmp);
                boundaries(&column)
            })
            .collect();
        Self { boundaries }
    }

    /// Returns the number of the bin that contains `value`.
    #[must_use]
    pub fn bin(&self, feature: usize, value: f32) -> usize {
        self.boundaries[feature].partition_point(|boundary| *boundary < value)
    }

    /// Returns the boundary that corresponds to a threshold between bin numbers.
    #[must_use]
    pub fn threshold(&self, feature: usize, between_bins: f64) -> f32 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // floor, 0..64
        let below = between_bins as usize;
        self.boundaries[feature]
            .get(below)
            .copied()
            .unwrap_or(f32::NAN)
    }
}

/// Returns the boundaries of one sorted column.
fn boundaries(sorted: &[f32]) -> Vec<f32> {
    let mut all = between(sorted, 1..sorted.len());
    if all.len() >= MAX_BINS {
        all = between(sorted, (1..MAX_BINS).map(|i| i * sorted.len() / MAX_BINS));
    }
    all
}

/// Returns a boundary before each of these positions, moved up to the next position at which the value
/// changes.
fn between(sorted: &[f32], positions: impl IntoIterator<Item = usize>) -> Vec<f32> {
    let mut found: Vec<f32> = Vec::new();
    for position in positions {
        let Some(&low) = position
            .checked_sub(1)
            .and_then(|before| sorted.get(before))
        else {
            continue;
        };
        let Some(&high) = sorted[position..].iter().find(|value| **value > low) else {
            break;
        };
        // Rounded down it is still at least `low` and below `high`, so it separates the two.
        let middle = round_down(f64::midpoint(low.into(), high.into()));
        if found.last().is_none_or(|last| *last < middle) {
            found.push(middle);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use healing_core::decision::Action;

    fn data(column: impl IntoIterator<Item = f32>) -> Dataset {
        let mut data = Dataset::new(["x"]);
        for value in column {
            data.push(&[value], Action::NoAction, "").unwrap();
        }
        data
    }

    #[test]
    fn bins_separate_all_values_up_to_64() {
        let bins = Bins::of(&data([3.0, 1.0, 2.0, 2.0, 1.0]));
        assert_eq!(bins.boundaries, [vec![1.5, 2.5]]);
        assert_eq!(
            [1.0, 1.5, 2.0, 9.0].map(|value| bins.bin(0, value)),
            [0, 0, 1, 2]
        );
        // Threshold 1.0 sends bins 0 and 1 below, as boundary 1 does.
        assert!((bins.threshold(0, 1.0) - 2.5).abs() < f32::EPSILON);
        assert!((bins.threshold(0, 0.5) - 1.5).abs() < f32::EPSILON);
    }

    #[test]
    fn bins_are_64_quantiles_above_64_values() {
        let bins = Bins::of(&data((0..1000_u16).map(f32::from)));
        assert_eq!(bins.boundaries[0].len(), 63);
        let mut sizes = [0; 64];
        for value in 0..1000_u16 {
            sizes[bins.bin(0, value.into())] += 1;
        }
        assert!(
            sizes.iter().all(|size| (15..=16).contains(size)),
            "{sizes:?}"
        );
    }

    #[test]
    fn bins_separate_adjacent_floats() {
        let low = 1.0_f32;
        let bins = Bins::of(&data([low, low.next_up()]));
        assert_eq!((bins.bin(0, low), bins.bin(0, low.next_up())), (0, 1));
    }
}
