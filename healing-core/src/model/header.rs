//! What a model says of itself, as JSON in its file's second line: `head -n 2 MODEL` shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::ModelError;
use super::forest::MAX_FEATURES;
use crate::decision::Action;
use crate::features::Feature;

/// A model's header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// What the model is called.
    pub name: String,
    /// The figures of a row, in order.
    pub features: Vec<FeatureRange>,
    /// The classes' words, by class.
    pub classes: Vec<String>,
    /// Number of trees.
    pub trees: usize,
    /// Nodes of all trees.
    pub nodes: usize,
    /// Rows kept with their votes, asked again at every load.
    pub self_check_rows: usize,
    /// Bytes of the body.
    pub body_bytes: usize,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// One figure, and what was seen of it in training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureRange {
    /// The feature's name.
    pub name: String,
    /// Smallest value in training.
    pub min: f32,
    /// Largest value in training.
    pub max: f32,
}

/// How a model came to be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The learner and its version.
    pub learner: String,
    /// The data, in words.
    pub data: String,
    /// Their hash, in hexadecimal.
    pub data_hash: String,
    /// Rows trained on.
    pub rows: usize,
    /// The forest's seed.
    pub seed: u64,
    /// Fewest rows in a leaf.
    pub min_leaf: usize,
    /// Depth limit.
    pub max_depth: u16,
    /// Scores on rows held out, by name.
    pub scores: BTreeMap<String, f64>,
}

impl Header {
    /// Everything that can be checked without the body.
    ///
    /// # Errors
    /// The first field that makes no sense.
    pub fn check(&self) -> Result<(), ModelError> {
        let field = |field, message: String| Err(ModelError::Field { field, message });
        if self.name.is_empty() || self.name.len() > 100 {
            return field(
                "name",
                format!("{} characters instead of 1 to 100", self.name.len()),
            );
        }
        if self.features.is_empty() || self.features.len() > MAX_FEATURES {
            let count = self.features.len();
            return field(
                "features",
                format!("{count} of them instead of 1 to {MAX_FEATURES}"),
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
                return field("features", format!("{name} ranges from {min} to {max}"));
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
