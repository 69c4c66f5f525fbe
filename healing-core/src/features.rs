//! Features: a fixed, ordered set of named figures, each present or absent.
//!
//! # Neutral values
//!
//! A model needs every feature. For an absent one it gets the neutral value, which means that nothing is
//! unusual, and the decision names the feature ([`ModelRecord::absent`](crate::decision::ModelRecord)).
//!
//! | neutral value | features | meaning |
//! |---|---|---|
//! | 1 | `load_ratio`, `p50_ratio`, `p99_ratio` | as usual; absent until the usual value is known, and at little traffic |
//! | 0 | `error_count`, `error_ratio_fast`, `error_ratio_slow`, `panic_ratio` | no errors; absent at the first poll of a window, and if the app counts no requests |
//! | 0 | `in_flight_trend`, `memory_slope` | no trend |
//! | the largest value | `memory_time_to_limit`, `fd_time_to_limit` | no growth |
//! | the largest value | `since_last_heal` | no treatment |
//! | 0 | `recent_restarts` | no restart |
//! | 0 | `failing_dependencies`, `failing_locals` | no failing check |
//! | 0 | `runtime_lag` | a punctual runtime |
//! | 0 | `cpu_without_traffic` | no use of CPU without requests |
//! | 30 | `cpu_usage`, `memory_usage` | neither idle nor near the limit; absent in the first second of an app, and if its platform does not tell |
//! | none | `uptime`, `hour_of_day`, `request_rate`, `in_flight`, `fd_usage`, `front_door_latency` | no level is more usual than another, so a model that needs the feature abstains |
//!
//! # Hazards
//!
//! - **Absent is never zero.** A figure that cannot be read is `None`. The time to limit of memory that does
//!   not grow is known: it is the largest value. With zeros for absent figures, a model would learn that an
//!   unresponsive app is healthy.
//! - A neutral value, like a clamped one, makes a familiar row of an unfamiliar one. The model then votes on
//!   an app that it does not know.

mod set;

pub use set::FeatureSet;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde::{Deserialize, Serialize as DeriveSerialize};

/// Specification of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// Stable name in model headers, metrics, journals and datasets.
    pub name: &'static str,
    /// Unit, for people.
    pub unit: &'static str,
    /// Smallest and largest value. Other values are clamped.
    pub range: (f32, f32),
    /// Value that means that nothing is unusual, for a model if the feature is absent; `None` if there is no
    /// such value. The table in the [module](self) has the reasons.
    pub neutral: Option<f32>,
    /// Meaning and period, in one sentence.
    pub doc: &'static str,
}

macro_rules! features {
    ($($(#[$first:meta])* $variant:ident $name:literal $unit:literal $min:literal..$max:literal, $neutral:expr =>
        $doc:literal;)+) => {
        /// Feature, in the order of all tables, files and vectors. The original system has the first five.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveSerialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum Feature {
            $(#[doc = $doc] #[doc = ""] #[doc = concat!("`", $name, "`, ", $unit, ", ", stringify!($min), " to ", stringify!($max), ".")]
              #[serde(rename = $name)] $variant,)+
        }

        impl Feature {
            /// All features, in order.
            pub const ALL: [Self; COUNT] = [$(Self::$variant),+];

            /// Returns name, unit, range, neutral value and meaning.
            #[must_use]
            pub fn spec(self) -> &'static Spec {
                const SPECS: [Spec; COUNT] = [$(Spec {
                    name: $name, unit: $unit, range: ($min, $max), neutral: $neutral, doc: $doc,
                }),+];
                &SPECS[self as usize]
            }
        }

        /// Number of features.
        pub const COUNT: usize = [$($name),+].len();
    };
}

features! {
    CpuUsage "cpu_usage" "%" 0.0..100.0, Some(30.0) =>
        "CPU of the process in percent of its container's limit, else of the cores available to it.";
    MemoryUsage "memory_usage" "%" 0.0..100.0, Some(30.0) =>
        "Working set in percent of the smallest memory limit, else of the machine's memory.";
    ErrorCount "error_count" "errors" 0.0..1000000.0, Some(0.0) =>
        "Errors since the app's start or its last soft heal, as the app counts them.";
    Uptime "uptime" "s" 0.0..31536000.0, None =>
        "Time since the app's process started.";
    HourOfDay "hour_of_day" "h" 0.0..23.0, None =>
        "Hour of the day, UTC.";
    RequestRate "request_rate" "1/s" 0.0..1000000.0, None =>
        "Requests that arrived per second in the fast window: completed requests plus the change of requests in flight.";
    LoadRatio "load_ratio" "×" 0.0..1000.0, Some(1.0) =>
        "Request rate, in multiples of the usual rate of this app while it is healthy.";
    ErrorRatioFast "error_ratio_fast" "ratio" 0.0..1.0, Some(0.0) =>
        "Errors per request in the fast window; 0 if no request was completed.";
    ErrorRatioSlow "error_ratio_slow" "ratio" 0.0..1.0, Some(0.0) =>
        "Errors per request in the slow window; 0 if no request was completed.";
    PanicRatio "panic_ratio" "ratio" 0.0..1.0, Some(0.0) =>
        "Handler panics per request in the slow window; 0 if no request was completed.";
    P50Ratio "p50_ratio" "×" 0.0..1000.0, Some(1.0) =>
        "Median latency in the fast window, in multiples of the usual median of this app while it is healthy.";
    P99Ratio "p99_ratio" "×" 0.0..1000.0, Some(1.0) =>
        "99th percentile of the latency in the fast window, in multiples of the usual one of this app while it is healthy.";
    InFlight "in_flight" "requests" 0.0..1000000.0, None =>
        "Requests in flight at the time of the poll.";
    InFlightTrend "in_flight_trend" "1/s" -100000.0..100000.0, Some(0.0) =>
        "Rise of the requests in flight per second over the slow window, by a robust slope.";
    MemorySlope "memory_slope" "%/min" -1000.0..1000.0, Some(0.0) =>
        "Rise of memory_usage per minute since its last minimum, by a robust slope; 0 without a trend.";
    MemoryTimeToLimit "memory_time_to_limit" "s" 0.0..86400.0, Some(86400.0) =>
        "Time until memory reaches its limit if it keeps growing steadily; the largest value if it does not grow.";
    CpuWithoutTraffic "cpu_without_traffic" "%" 0.0..100.0, Some(0.0) =>
        "cpu_usage while there are almost no requests, otherwise 0.";
    FdUsage "fd_usage" "%" 0.0..100.0, None =>
        "Open file descriptors in percent of the process's limit.";
    FdTimeToLimit "fd_time_to_limit" "s" 0.0..86400.0, Some(86400.0) =>
        "Time until the descriptors run out if they keep growing steadily; the largest value if they do not grow.";
    RuntimeLag "runtime_lag" "s" 0.0..3600.0, Some(0.0) =>
        "Worst lag of the app's async runtime in the last 10 s, or the age of its last tick if it is stalled.";
    FrontDoorLatency "front_door_latency" "s" 0.0..3600.0, None =>
        "Latency of the front door, the app's own port.";
    FailingDependencies "failing_dependencies" "ratio" 0.0..1.0, Some(0.0) =>
        "Share of the declared dependencies whose check fails; expired results do not count; 0 if none is declared.";
    FailingLocals "failing_locals" "ratio" 0.0..1.0, Some(0.0) =>
        "Share of the local checks (pools, queues) that fail; 0 if there is none.";
    SinceLastHeal "since_last_heal" "s" 0.0..86400.0, Some(86400.0) =>
        "Time since the last treatment; the largest value if there was none.";
    RecentRestarts "recent_restarts" "restarts" 0.0..100.0, Some(0.0) =>
        "Restarts of the app observed in the last 30 minutes, for any reason.";
}

impl Feature {
    /// Returns the stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Returns the feature with a name.
    ///
    /// ```
    /// use healing_core::features::Feature;
    /// assert_eq!(Feature::from_name("error_count"), Some(Feature::ErrorCount));
    /// assert_eq!(Feature::from_name("mood"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.name() == name)
    }
}

impl std::fmt::Display for Feature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Values of the known features. Each value is finite and in the range of its feature.
#[derive(Clone, Copy, PartialEq)]
pub struct Features([Option<f32>; COUNT]);

// === impl Features ===

impl Features {
    /// Empty set: no feature is known.
    pub const EMPTY: Self = Self([None; COUNT]);

    /// Returns the value, if it is known.
    #[must_use]
    pub fn get(&self, feature: Feature) -> Option<f32> {
        self.0[feature as usize]
    }

    /// Sets a value, clamped to the feature's range. A value that is not finite becomes absent.
    #[allow(clippy::cast_possible_truncation)] // the clamped value is in f32's range
    pub fn set(&mut self, feature: Feature, value: impl Into<f64>) {
        let value: f64 = value.into();
        let (min, max) = feature.spec().range;
        self.0[feature as usize] = value
            .is_finite()
            .then(|| value.clamp(f64::from(min), f64::from(max)) as f32);
    }

    /// Sets a value, or makes it absent.
    pub fn set_option(&mut self, feature: Feature, value: Option<impl Into<f64>>) {
        match value {
            Some(value) => self.set(feature, value),
            None => self.0[feature as usize] = None,
        }
    }

    /// Iterates over the known features, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Feature, f32)> + '_ {
        Feature::ALL
            .into_iter()
            .filter_map(|feature| self.get(feature).map(|value| (feature, value)))
    }
}

impl Default for Features {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl std::fmt::Debug for Features {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl FromIterator<(Feature, f64)> for Features {
    fn from_iter<I: IntoIterator<Item = (Feature, f64)>>(values: I) -> Self {
        let mut features = Self::EMPTY;
        for (feature, value) in values {
            features.set(feature, value);
        }
        features
    }
}

/// Serializes as a map from name to value; absent features are left out.
impl Serialize for Features {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (feature, value) in self.iter() {
            map.serialize_entry(feature.name(), &value)?;
        }
        map.end()
    }
}

/// Deserializes the map; unknown names are ignored.
impl<'de> Deserialize<'de> for Features {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Features;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map from feature names to numbers")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Features, A::Error> {
                let mut features = Features::EMPTY;
                while let Some((name, value)) =
                    map.next_entry::<std::borrow::Cow<'de, str>, Option<f64>>()?
                {
                    if let Some(feature) = Feature::from_name(&name) {
                        features.set_option(feature, value);
                    }
                }
                Ok(features)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_described_and_named_in_order() {
        for (index, feature) in Feature::ALL.into_iter().enumerate() {
            let spec = feature.spec();
            assert_eq!(feature as usize, index);
            assert_eq!(Feature::from_name(spec.name), Some(feature));
            assert!(
                spec.name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            );
            assert!(
                !spec.unit.is_empty() && spec.doc.ends_with('.'),
                "{feature}"
            );
            let (min, max) = spec.range;
            assert!(min < max, "{feature}");
            let inside = |value| (min..=max).contains(&value);
            assert!(spec.neutral.is_none_or(inside), "{feature}");
        }
        let names: Vec<_> = Feature::ALL[..5].iter().map(|f| f.name()).collect();
        assert_eq!(
            names,
            [
                "cpu_usage",
                "memory_usage",
                "error_count",
                "uptime",
                "hour_of_day"
            ]
        );
    }

    #[test]
    fn neutral_values_are_those_of_the_documented_table() {
        let rows = include_str!("features.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | "));
        let mut documented = Vec::new();
        for row in rows.skip(1) {
            let (value, rest) = row.split_once(" | ").unwrap();
            let names = rest.split(" | ").next().unwrap();
            for name in names.split(", ") {
                let feature = Feature::from_name(name.trim_matches('`')).unwrap();
                let expected = match value {
                    "none" => None,
                    "the largest value" => Some(feature.spec().range.1),
                    number => Some(number.parse().unwrap()),
                };
                assert_eq!(feature.spec().neutral, expected, "{feature}");
                documented.push(feature);
            }
        }
        documented.sort_unstable();
        assert_eq!(documented, Feature::ALL);
    }

    #[test]
    fn values_that_are_not_finite_become_absent() {
        let mut features = Features::EMPTY;
        assert_eq!(features.get(Feature::CpuUsage), None);
        features.set(Feature::CpuUsage, 0.0);
        assert_eq!(features.get(Feature::CpuUsage), Some(0.0));
        features.set(Feature::CpuUsage, f64::NAN);
        assert_eq!(features.get(Feature::CpuUsage), None);
        features.set(Feature::CpuUsage, f64::INFINITY);
        assert_eq!(features.get(Feature::CpuUsage), None);
        features.set(Feature::CpuUsage, 104.0);
        assert_eq!(features.get(Feature::CpuUsage), Some(100.0));
    }

    #[test]
    fn features_round_trip_through_json() {
        let features: Features = [(Feature::CpuUsage, 12.5), (Feature::P99Ratio, 3.25)]
            .into_iter()
            .collect();
        let json = serde_json::to_string(&features).unwrap();
        assert_eq!(json, r#"{"cpu_usage":12.5,"p99_ratio":3.25}"#);
        assert_eq!(serde_json::from_str::<Features>(&json).unwrap(), features);
        let other = r#"{"cpu_usage":12.5,"mood":1,"p99_ratio":3.25,"uptime":null}"#;
        assert_eq!(serde_json::from_str::<Features>(other).unwrap(), features);
    }
}
