//! The header of a model file: one line of JSON, the second line of the file (`head -n 2 MODEL`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::ModelError;
use super::forest::MAX_FEATURES;
use crate::decision::Action;
use crate::features::Feature;

/// Header of a model file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Name of the model, 1 to 100 bytes.
    pub name: String,
    /// Features of a row, in order.
    pub features: Vec<FeatureRange>,
    /// Names of the classes, by class: those of the actions.
    pub classes: Vec<String>,
    /// Number of trees.
    pub trees: usize,
    /// Number of nodes of all trees.
    pub nodes: usize,
    /// Number of self-check rows, which are evaluated at every load.
    pub self_check_rows: usize,
    /// Size of the body, in bytes.
    pub body_bytes: usize,
    /// Origin of the model.
    pub provenance: Provenance,
}

/// One feature and its range in the training data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureRange {
    /// Name of the feature.
    pub name: String,
    /// Smallest value in the training data, in the feature's unit.
    pub min: f32,
    /// Largest value in the training data, in the feature's unit.
    pub max: f32,
}

/// Origin of a model: learner, data and settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Learner and its version.
    pub learner: String,
    /// Description of the training data.
    pub data: String,
    /// Hash of the training data, in hexadecimal.
    pub data_hash: String,
    /// Number of training rows.
    pub rows: usize,
    /// Seed of the forest.
    pub seed: u64,
    /// Minimum number of rows in a leaf.
    pub min_leaf: usize,
    /// Maximum depth of a tree.
    pub max_depth: u16,
    /// Scores on held-out rows, by name.
    pub scores: BTreeMap<String, f64>,
}

impl Header {
    /// Validates everything that does not need the body.
    ///
    /// # Errors
    ///
    /// The first invalid field.
    pub fn validate(&self) -> Result<(), ModelError> {
        let field = |field, message: String| Err(ModelError::InvalidField { field, message });
        if self.name.is_empty() || self.name.len() > 100 {
            return field(
                "name",
                format!("{} bytes, expected 1 to 100", self.name.len()),
            );
        }
        if self.features.is_empty() || self.features.len() > MAX_FEATURES {
            let count = self.features.len();
            return field(
                "features",
                format!("{count} features, expected 1 to {MAX_FEATURES}"),
            );
        }
        for (index, feature) in self.features.iter().enumerate() {
            if self.features[..index]
                .iter()
                .any(|other| other.name == feature.name)
            {
                return Err(ModelError::DuplicateFeature {
                    name: feature.name.clone(),
                });
            }
            let FeatureRange { name, min, max } = feature;
            if Feature::from_name(name).is_none() {
                let known = Feature::ALL.map(Feature::name).join(", ");
                return Err(ModelError::UnknownFeature {
                    name: name.clone(),
                    known,
                });
            }
            if !(min.is_finite() && max.is_finite() && min <= max) {
                return field("features", format!("the range of {name} is {min} to {max}"));
            }
        }
        let expected = Action::ALL.map(Action::as_str);
        if self.classes != expected {
            let (found, expected) = (self.classes.clone(), expected.to_vec());
            return Err(ModelError::Classes { found, expected });
        }
        if self
            .provenance
            .scores
            .values()
            .any(|score| !score.is_finite())
        {
            return field("provenance", "a score is not finite".to_owned());
        }
        Ok(())
    }
}
