//! A forest with its header: the whole of what a model file holds, ready to be asked.

use super::forest::{CLASSES, Forest, Votes};
use super::header::{FeatureRange, Header, Provenance};
use super::model_error::ModelError;
use crate::decision::Action;

/// A model that has been checked: it predicts without failing on any finite row.
#[derive(Debug, Clone)]
pub struct Model {
    header: Header,
    forest: Forest,
    self_check: SelfCheck,
}

/// Rows with the votes they must give.
pub type SelfCheck = Vec<(Vec<f32>, Votes)>;

/// Why a row was not put before the forest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowFault {
    /// Another number of figures than the model's features.
    #[error("{found} figures instead of {expected}")]
    Width {
        /// In the row.
        found: usize,
        /// The model's.
        expected: usize,
    },
    /// NaN or infinite. (smartcore answers a row of NaN with *restart*.)
    #[error("figure {feature} is not finite")]
    NotFinite {
        /// Its index.
        feature: usize,
    },
}

impl Model {
    /// Puts a model together. `self_check` rows are asked at every load.
    ///
    /// # Errors
    /// Where the parts do not fit each other.
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
                let votes = forest.walk(&row);
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

    /// A model from parts that were read; checks that they fit each other.
    pub(super) fn from_parts(
        header: Header,
        forest: Forest,
        self_check: SelfCheck,
    ) -> Result<Self, ModelError> {
        header.check()?;
        let counts = [
            ("features", header.features.len(), forest.features()),
            ("trees", header.trees, forest.trees().len()),
            ("nodes", header.nodes, forest.nodes()),
            ("self-check rows", header.self_check_rows, self_check.len()),
        ];
        for (what, declared, found) in counts {
            if declared != found {
                return Err(ModelError::Count {
                    what,
                    declared,
                    found,
                });
            }
        }
        let model = Self {
            header,
            forest,
            self_check,
        };
        for (row, (figures, expected)) in model.self_check.iter().enumerate() {
            let found = model
                .votes(figures)
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

    /// What the model says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its trees.
    #[must_use]
    pub fn forest(&self) -> &Forest {
        &self.forest
    }

    /// The rows asked at load, with the votes they must give.
    #[must_use]
    pub fn self_check(&self) -> &[(Vec<f32>, Votes)] {
        &self.self_check
    }

    /// How the trees vote on a row of the header's features, in its order.
    ///
    /// # Errors
    /// Rows of another width, or with figures that are not finite, are refused.
    pub fn votes(&self, row: &[f32]) -> Result<Votes, RowFault> {
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
        Ok(self.forest.walk(row))
    }
}
