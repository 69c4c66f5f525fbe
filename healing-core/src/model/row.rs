//! Row of a model: the values of its features, within their trained ranges.

use super::forest::MAX_FEATURES;
use super::header::FeatureRange;
use crate::features::{Feature, FeatureSet, Features};

/// Row to evaluate, and the features whose own values it does not have.
#[derive(Debug)]
pub(super) struct Row {
    /// Values in the model's order, then zeros.
    pub(super) values: [f32; MAX_FEATURES],
    /// Features whose value was clamped to the trained range.
    pub(super) clamped: FeatureSet,
    /// Absent features. Those with a neutral value have it in the row, clamped to the trained range.
    pub(super) absent: FeatureSet,
    /// First absent feature without a neutral value.
    pub(super) missing: Option<Feature>,
}

impl Row {
    /// Returns the row of a model with these features and trained ranges.
    pub(super) fn new(features: &Features, of: &[Feature], ranges: &[FeatureRange]) -> Self {
        let mut row = Self {
            values: [0.0; MAX_FEATURES],
            clamped: FeatureSet::EMPTY,
            absent: FeatureSet::EMPTY,
            missing: None,
        };
        for ((slot, &feature), range) in row.values.iter_mut().zip(of).zip(ranges) {
            let value = features.get(feature);
            row.absent.insert_if(value.is_none(), feature);
            let Some(known) = value.or(feature.spec().neutral) else {
                row.missing = row.missing.or(Some(feature));
                continue;
            };
            // `Features` and the neutral values are finite.
            *slot = known.clamp(range.min, range.max);
            let is_clamped = value.is_some_and(|value| value < range.min || value > range.max);
            row.clamped.insert_if(is_clamped, feature);
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: [Feature; 3] = [Feature::CpuUsage, Feature::LoadRatio, Feature::Uptime];

    fn row(features: &[(Feature, f64)]) -> Row {
        let ranges = OF.map(|feature| FeatureRange {
            name: feature.name().to_owned(),
            min: 5.0,
            max: 90.0,
        });
        Row::new(&features.iter().copied().collect(), &OF, &ranges)
    }

    #[test]
    fn values_in_range_are_taken_as_they_are() {
        let row = row(&[
            (Feature::CpuUsage, 5.0),
            (Feature::LoadRatio, 7.0),
            (Feature::Uptime, 90.0),
        ]);
        assert_eq!(row.values[..4], [5.0, 7.0, 90.0, 0.0]);
        assert!(row.clamped.is_empty() && row.absent.is_empty());
        assert_eq!(row.missing, None);
    }

    #[test]
    fn values_out_of_range_are_clamped_and_named() {
        let row = row(&[
            (Feature::CpuUsage, 0.0),
            (Feature::LoadRatio, 7.0),
            (Feature::Uptime, 91.0),
        ]);
        assert_eq!(row.values[..3], [5.0, 7.0, 90.0]);
        assert_eq!(
            row.clamped,
            FeatureSet::of(&[Feature::CpuUsage, Feature::Uptime])
        );
        assert!(row.absent.is_empty());
    }

    #[test]
    fn absent_value_is_neutral_and_named_as_absent_only() {
        let row = row(&[(Feature::Uptime, 60.0)]);
        assert_eq!(row.values[..3], [30.0, 5.0, 60.0], "1 is below the range");
        let absent = FeatureSet::of(&[Feature::CpuUsage, Feature::LoadRatio]);
        assert_eq!((row.clamped, row.absent), (FeatureSet::EMPTY, absent));
        assert_eq!(row.missing, None);
    }

    #[test]
    fn absent_feature_without_neutral_value_is_missing() {
        let row = row(&[(Feature::CpuUsage, 100.0)]);
        assert_eq!(row.missing, Some(Feature::Uptime));
        assert_eq!(row.clamped, FeatureSet::of(&[Feature::CpuUsage]));
        let absent = FeatureSet::of(&[Feature::LoadRatio, Feature::Uptime]);
        assert_eq!(row.absent, absent);
    }
}
