//! Random-forest models: file format, validation, inference and explanation.
//!
//! Training is in the crate `healing-training`; a trained model runs without it.

mod classifier;
pub mod error;
pub mod file;
pub mod forest;
pub mod header;

pub use classifier::{CannotClassify, Classifier, Votes};
pub use error::ModelError;
pub use header::Header;

use crate::decision::Action;
use crate::features::{Feature, Features, Outside};
use forest::{CLASSES, Forest, MAX_FEATURES};
use header::{FeatureRange, Provenance};

/// A validated model: it classifies every finite row without failing.
#[derive(Debug)]
pub struct Model {
    header: Header,
    forest: Forest,
    features: Vec<Feature>,
    self_check: SelfCheck,
}

/// Rows with their expected votes.
pub type SelfCheck = Vec<(Vec<f32>, Votes)>;

/// Reason for which a row is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowFault {
    /// A number of values that is not the number of features.
    #[error("the row has {found} values, the model needs {expected}")]
    Width {
        /// Number of values in the row.
        found: usize,
        /// Number of the model's features.
        expected: usize,
    },
    /// A value that is NaN or infinite. (smartcore classifies a row of NaN as *restart*.)
    #[error("value {feature} is not finite")]
    NotFinite {
        /// Index of the value.
        feature: usize,
    },
}

impl Model {
    /// Builds a model. The rows in `self_check` are evaluated again at every load.
    ///
    /// # Errors
    ///
    /// The first inconsistency between the parts.
    pub fn new(
        name: &str,
        features: Vec<FeatureRange>,
        forest: Forest,
        self_check: Vec<Vec<f32>>,
        provenance: Provenance,
    ) -> Result<Self, ModelError> {
        let self_check: Vec<_> = self_check
            .into_iter()
            .filter(|row| row.len() == forest.features())
            .map(|row| {
                let votes = forest.traverse(&row);
                (row, votes)
            })
            .collect();
        let header = Header {
            name: name.to_owned(),
            features,
            classes: Action::ALL
                .iter()
                .map(|action| action.as_str().to_owned())
                .collect(),
            trees: forest.trees().len(),
            nodes: forest.nodes(),
            self_check_rows: self_check.len(),
            body_bytes: 0,
            provenance,
        };
        let mut model = Self::from_parts(header, forest, self_check)?;
        model.header.body_bytes = model.body().len();
        Ok(model)
    }

    /// Builds a model from parts that were read, and validates that they are consistent.
    pub(crate) fn from_parts(
        header: Header,
        forest: Forest,
        self_check: SelfCheck,
    ) -> Result<Self, ModelError> {
        header.validate()?;
        let counts = [
            ("features", header.features.len(), forest.features()),
            ("trees", header.trees, forest.trees().len()),
            ("nodes", header.nodes, forest.nodes()),
            ("self-check rows", header.self_check_rows, self_check.len()),
        ];
        for (what, declared, found) in counts {
            if declared != found {
                return Err(ModelError::CountMismatch {
                    what,
                    declared,
                    found,
                });
            }
        }
        let known = |range: &FeatureRange| Feature::from_name(&range.name);
        let model = Self {
            features: header.features.iter().filter_map(known).collect(),
            header,
            forest,
            self_check,
        };
        for (row, (values, expected)) in model.self_check.iter().enumerate() {
            let found = model
                .row_votes(values)
                .map(|votes| votes.0)
                .unwrap_or([0; CLASSES]);
            if found != expected.0 {
                return Err(ModelError::SelfCheck {
                    row,
                    found,
                    expected: expected.0,
                });
            }
        }
        Ok(model)
    }

    /// Returns the header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the forest as plain trees.
    #[must_use]
    pub fn forest(&self) -> &Forest {
        &self.forest
    }

    /// Returns the self-check rows with their expected votes.
    #[must_use]
    pub fn self_check(&self) -> &[(Vec<f32>, Votes)] {
        &self.self_check
    }

    /// Returns the features of a row, in order.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Returns the votes for a row of the header's features, in its order. No range is applied.
    ///
    /// # Errors
    ///
    /// A row of another width or with a value that is not finite.
    pub fn row_votes(&self, row: &[f32]) -> Result<Votes, RowFault> {
        let expected = self.forest.features();
        if row.len() != expected {
            return Err(RowFault::Width {
                found: row.len(),
                expected,
            });
        }
        if let Some(feature) = row.iter().position(|value| !value.is_finite()) {
            return Err(RowFault::NotFinite { feature });
        }
        Ok(self.forest.traverse(row))
    }

    /// Returns the row to evaluate: every feature present and within its trained range.
    ///
    /// # Errors
    ///
    /// A feature that is absent, or bounded and outside its trained range.
    pub(crate) fn row(&self, features: &Features) -> Result<[f32; MAX_FEATURES], CannotClassify> {
        let mut row = [0.0; MAX_FEATURES];
        for ((slot, &feature), range) in row
            .iter_mut()
            .zip(&self.features)
            .zip(&self.header.features)
        {
            // `Features` holds finite values only.
            let value = features
                .get(feature)
                .ok_or(CannotClassify::Missing(feature))?;
            let inside = value.clamp(range.min, range.max);
            if feature.spec().outside == Outside::Bounded && inside != value {
                return Err(CannotClassify::OutOfRange(feature));
            }
            *slot = inside;
        }
        Ok(row)
    }
}

impl Classifier for Model {
    fn votes(&self, features: &Features) -> Result<Votes, CannotClassify> {
        let row = self.row(features)?;
        Ok(self.forest.traverse(&row[..self.features.len()]))
    }
}
