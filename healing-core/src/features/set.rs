//! Set of features.

use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::{COUNT, Feature};

/// Set of features, as one bit per feature.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct FeatureSet(u32);

const _: () = assert!(COUNT <= 32, "a set has one bit per feature");

// === impl FeatureSet ===

impl FeatureSet {
    /// Empty set.
    pub const EMPTY: Self = Self(0);

    /// Returns the set of these features.
    #[must_use]
    pub const fn of(features: &[Feature]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < features.len() {
            bits |= 1 << features[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    /// Adds a feature if the condition holds.
    pub fn insert_if(&mut self, condition: bool, feature: Feature) {
        self.0 |= u32::from(condition) << feature as u8;
    }

    /// Returns `true` if the set contains a feature.
    #[must_use]
    pub fn contains(self, feature: Feature) -> bool {
        self.intersects(Self::of(&[feature]))
    }

    /// Returns `true` if the sets have a feature in common.
    #[must_use]
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns `true` if there is no feature.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Iterates over the features, in order.
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        Feature::ALL
            .into_iter()
            .filter(move |&feature| self.contains(feature))
    }
}

impl FromIterator<Feature> for FeatureSet {
    fn from_iter<I: IntoIterator<Item = Feature>>(features: I) -> Self {
        let mut set = Self::EMPTY;
        for feature in features {
            set.insert_if(true, feature);
        }
        set
    }
}

impl std::fmt::Debug for FeatureSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Writes the names, separated by commas.
impl std::fmt::Display for FeatureSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut separator = "";
        for feature in self.iter() {
            write!(f, "{separator}{feature}")?;
            separator = ", ";
        }
        Ok(())
    }
}

/// Serializes as a list of names, in order.
impl Serialize for FeatureSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for FeatureSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Feature>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_contains_exactly_what_was_inserted() {
        for feature in Feature::ALL {
            let mut set = FeatureSet::EMPTY;
            set.insert_if(false, feature);
            assert!(set.is_empty() && !set.contains(feature), "{feature}");
            set.insert_if(true, feature);
            assert_eq!(set.iter().collect::<Vec<_>>(), [feature]);
            assert_eq!(set, FeatureSet::of(&[feature, feature]));
        }
        let all: FeatureSet = Feature::ALL.into_iter().collect();
        assert_eq!(all.iter().count(), COUNT);
        assert!(all.intersects(FeatureSet::of(&[Feature::Uptime])));
        assert!(!all.intersects(FeatureSet::EMPTY));
    }

    #[test]
    fn set_round_trips_through_a_list_of_names() {
        let set = FeatureSet::of(&[Feature::P50Ratio, Feature::CpuUsage]);
        assert_eq!(set.to_string(), "cpu_usage, p50_ratio");
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, r#"["cpu_usage","p50_ratio"]"#);
        assert_eq!(serde_json::from_str::<FeatureSet>(&json).unwrap(), set);
        assert!(serde_json::from_str::<FeatureSet>(r#"["mood"]"#).is_err());
    }
}
