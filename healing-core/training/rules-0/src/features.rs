//! What the brain sees: a fixed, ordered set of named figures, each present or absent.
//!
//! Hazard: **absent is never zero**. A figure that cannot be read is `None`; a memory that does not
//! grow has a time to its limit (the largest there is), it is not absent. Whoever fills in zeros for
//! missing figures teaches a model that silence is health.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde::{Deserialize, Serialize as DeriveSerialize};

/// How a figure outside the range that a model was trained on is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, DeriveSerialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outside {
    /// Clamped: more uptime or more requests than ever seen mean "a lot".
    Saturating,
    /// Refused: the model knows nothing there, the rules decide.
    Bounded,
}

/// What is known about a feature beside its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// The stable name: in model headers, metrics, journals and datasets.
    pub name: &'static str,
    /// The unit, as people write it.
    pub unit: &'static str,
    /// Smallest and largest value that the policy ever reports; figures beyond are clamped.
    pub range: (f32, f32),
    /// What a model does with a value outside its trained range.
    pub outside: Outside,
    /// One sentence: what it is and over which time.
    pub doc: &'static str,
}

macro_rules! features {
    ($($(#[$first:meta])* $variant:ident $name:literal $unit:literal $min:literal..$max:literal $outside:ident $doc:literal;)+) => {
        /// Every feature, in the order of all tables, files and vectors. The first five are the
        /// original system's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveSerialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum Feature {
            $(#[doc = $doc] #[doc = ""] #[doc = concat!("`", $name, "`, ", $unit, ", ", stringify!($min), " to ", stringify!($max), ".")]
              #[serde(rename = $name)] $variant,)+
        }

        impl Feature {
            /// All, in order.
            pub const ALL: [Self; COUNT] = [$(Self::$variant),+];

            /// Name, unit, range and meaning.
            #[must_use]
            pub fn spec(self) -> &'static Spec {
                const SPECS: [Spec; COUNT] = [$(Spec {
                    name: $name, unit: $unit, range: ($min, $max), outside: Outside::$outside, doc: $doc,
                }),+];
                &SPECS[self as usize]
            }
        }

        /// How many features there are.
        pub const COUNT: usize = [$($name),+].len();
    };
}

features! {
    CpuUsage "cpu_usage" "%" 0.0..100.0 Bounded
        "CPU of the process in percent of its container's limit, else of the cores available to it.";
    MemoryUsage "memory_usage" "%" 0.0..100.0 Bounded
        "Working set in percent of the smallest memory limit, else of the machine's memory.";
    ErrorCount "error_count" "errors" 0.0..1000000.0 Saturating
        "Errors since the app's start or its last soft heal, as the app counts them.";
    Uptime "uptime" "s" 0.0..31536000.0 Saturating
        "Time since the app's process started.";
    HourOfDay "hour_of_day" "h" 0.0..23.0 Bounded
        "Hour of the day, UTC.";
    RequestRate "request_rate" "1/s" 0.0..1000000.0 Saturating
        "Requests that arrived per second in the fast window: those that ended and the growth of those open.";
    LoadRatio "load_ratio" "×" 0.0..1000.0 Saturating
        "Request rate over that of this app's own healthy times.";
    ErrorRatioFast "error_ratio_fast" "ratio" 0.0..1.0 Bounded
        "Errors per request in the fast window; 0 where no request ended.";
    ErrorRatioSlow "error_ratio_slow" "ratio" 0.0..1.0 Bounded
        "Errors per request in the slow window; 0 where no request ended.";
    PanicRatio "panic_ratio" "ratio" 0.0..1.0 Bounded
        "Handler panics per request in the slow window; 0 where no request ended.";
    P50Ratio "p50_ratio" "×" 0.0..1000.0 Saturating
        "Median duration in the fast window over the median of this app's own healthy times.";
    P99Ratio "p99_ratio" "×" 0.0..1000.0 Saturating
        "99th percentile of the duration in the fast window over that of this app's own healthy times.";
    InFlight "in_flight" "requests" 0.0..1000000.0 Saturating
        "Requests being served at the moment of the poll.";
    InFlightTrend "in_flight_trend" "1/s" -100000.0..100000.0 Saturating
        "Growth of the requests in flight per second over the slow window, by a robust slope.";
    MemorySlope "memory_slope" "%/min" -1000.0..1000.0 Saturating
        "Growth of memory_usage per minute since its last low, by a robust slope; 0 without a trend.";
    MemoryTimeToLimit "memory_time_to_limit" "s" 0.0..86400.0 Saturating
        "Time until memory reaches its limit if it goes on like this; the largest value where it does not grow.";
    CpuWithoutTraffic "cpu_without_traffic" "%" 0.0..100.0 Bounded
        "cpu_usage while hardly a request arrives, else 0: work that nobody asked for.";
    FdUsage "fd_usage" "%" 0.0..100.0 Bounded
        "Open file descriptors in percent of the process's limit.";
    FdTimeToLimit "fd_time_to_limit" "s" 0.0..86400.0 Saturating
        "Time until the descriptors run out if they go on like this; the largest value where they do not grow.";
    RuntimeLag "runtime_lag" "s" 0.0..3600.0 Saturating
        "How late the app's async runtime ticks, at worst in the last 10 s, or the age of its last tick.";
    FrontDoorLatency "front_door_latency" "s" 0.0..3600.0 Saturating
        "How long the app's own port took to answer the light probe.";
    FailingDependencies "failing_dependencies" "ratio" 0.0..1.0 Bounded
        "Share of the declared dependencies whose check fails; news that has expired does not count; 0 where none is declared.";
    FailingLocals "failing_locals" "ratio" 0.0..1.0 Bounded
        "Share of the local checks (pools, queues) that fail; 0 where there is none.";
    SinceLastHeal "since_last_heal" "s" 0.0..86400.0 Saturating
        "Time since the last treatment; the largest value where there was none.";
    RecentRestarts "recent_restarts" "restarts" 0.0..100.0 Saturating
        "Starts of the app seen in the last 30 minutes, whoever caused them, the first not counted.";
}

impl Feature {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The feature of that name.
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

/// One value per feature, or none. Values are always finite and in the feature's range.
#[derive(Clone, Copy, PartialEq)]
pub struct Features([Option<f32>; COUNT]);

// === impl Features ===

impl Features {
    /// Nothing is known.
    pub const EMPTY: Self = Self([None; COUNT]);

    /// The value, if it could be read.
    #[must_use]
    pub fn get(&self, feature: Feature) -> Option<f32> {
        self.0[feature as usize]
    }

    /// Sets a value, clamped to the feature's range. What is not a finite number becomes absent.
    #[allow(clippy::cast_possible_truncation)] // the clamp has brought it into f32's range
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

    /// Those that are known, in order.
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

/// A map from name to value; absent ones are left out.
impl Serialize for Features {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (feature, value) in self.iter() {
            map.serialize_entry(feature.name(), &value)?;
        }
        map.end()
    }
}

/// Reads the map back; names that this version does not know are ignored.
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
