//! Record of a model's part in a decision: its abstention, and the features whose values it did not get.

use serde::{Deserialize, Serialize};

use crate::features::FeatureSet;

/// Reason for which a model abstains.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Abstention {
    /// The app sent no valid report, or is stalled.
    #[error("the app sent no valid report, or is stalled")]
    NoReport,
    /// The report is ignored, because it is of an earlier instance or out of order.
    #[error("the report is of an earlier instance or out of order")]
    StaleReport,
    /// A feature that has no neutral value is absent.
    #[error("a feature that has no neutral value is absent")]
    AbsentFeature,
    /// The model file needs a feature that this program does not know.
    #[error("the model file needs a feature that this program does not know")]
    UnknownFeature,
    /// The model file cannot be used.
    #[error("the model file cannot be used")]
    ModelError,
}

impl Abstention {
    /// All reasons.
    pub const ALL: [Self; 5] = [
        Self::NoReport,
        Self::StaleReport,
        Self::AbsentFeature,
        Self::UnknownFeature,
        Self::ModelError,
    ];

    /// Returns the stable code in journal, metrics and status.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoReport => "no_report",
            Self::StaleReport => "stale_report",
            Self::AbsentFeature => "absent_feature",
            Self::UnknownFeature => "unknown_feature",
            Self::ModelError => "model_error",
        }
    }
}

/// Part of a model in a decision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// Reason for which the model abstained; `None` if it voted.
    pub abstained: Option<Abstention>,
    /// Features of the model whose value was clamped to the trained range.
    pub clamped: FeatureSet,
    /// Features of the model that are absent. A vote is based on their neutral values.
    pub absent: FeatureSet,
}

// === impl ModelRecord ===

impl ModelRecord {
    /// Returns the record of a model that could not look at any feature.
    #[must_use]
    pub fn abstained(reason: Abstention) -> Self {
        Self {
            abstained: Some(reason),
            ..Self::default()
        }
    }
}

/// Writes, for example, `no, because a feature that has no neutral value is absent; clamped: cpu_usage;
/// absent: in_flight`, the answer to the question for the model's vote.
impl std::fmt::Display for ModelRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.abstained {
            None => f.write_str("yes")?,
            Some(reason) => write!(f, "no, because {reason}")?,
        }
        for (word, features) in [("clamped", self.clamped), ("absent", self.absent)] {
            if !features.is_empty() {
                write!(f, "; {word}: {features}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Feature;

    #[test]
    fn codes_are_those_of_the_serialized_form() {
        for reason in Abstention::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }

    #[test]
    fn record_names_reason_and_features() {
        assert_eq!(ModelRecord::default().to_string(), "yes");
        let record = ModelRecord {
            clamped: FeatureSet::of(&[Feature::CpuUsage]),
            absent: FeatureSet::of(&[Feature::InFlight, Feature::LoadRatio]),
            ..ModelRecord::abstained(Abstention::AbsentFeature)
        };
        assert_eq!(
            record.to_string(),
            "no, because a feature that has no neutral value is absent; clamped: cpu_usage; \
             absent: load_ratio, in_flight"
        );
        let json = serde_json::json!({
            "abstained": "absent_feature",
            "clamped": ["cpu_usage"],
            "absent": ["load_ratio", "in_flight"],
        });
        assert_eq!(serde_json::to_value(record).unwrap(), json);
        let read: ModelRecord = serde_json::from_value(json).unwrap();
        assert_eq!(read, record);
    }
}
