//! Random-forest models: file format, validation, inference and explanation.
//!
//! Training lives in the crate `healing-training`; a trained model needs no learner to run.

pub mod builtin;
mod classifier;
pub mod error;
pub mod explain;
pub mod file;
pub mod forest;
pub mod header;
pub mod inference;

pub use classifier::{CannotClassify, Classifier, Contributions, Votes};
pub use error::ModelError;
pub use header::Header;

use crate::decision::Action;
use crate::features::{Feature, Features, Outside};
use forest::{CLASSES, Forest, MAX_FEATURES};
use header::{FeatureRange, Provenance};
use inference::Compiled;

/// A model that has been checked: it predicts without failing on any finite row.
#[derive(Debug)]
pub struct Model {
    header: Header,
    forest: Forest,
    compiled: Compiled,
    features: Vec<Feature>,
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
    pub(crate) fn from_parts(
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
        let known = |range: &FeatureRange| Feature::from_name(&range.name);
        let model = Self {
            compiled: Compiled::new(&forest),
            features: header.features.iter().filter_map(known).collect(),
            header,
            forest,
            self_check,
        };
        for (row, (figures, expected)) in model.self_check.iter().enumerate() {
            let found = model
                .row_votes(figures)
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

    /// The forest as it is asked.
    #[must_use]
    pub fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// The features of a row, in order.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// How the trees vote on a row of the header's features, in its order, as it is.
    ///
    /// # Errors
    /// Rows of another width, or with figures that are not finite, are refused.
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
        Ok(self.compiled.votes(row))
    }

    /// The row that the forest is asked: each feature known, and within what it was trained on.
    pub(crate) fn row(&self, features: &Features) -> Result<[f32; MAX_FEATURES], CannotClassify> {
        let mut row = [0.0; MAX_FEATURES];
        for ((slot, &feature), range) in row
            .iter_mut()
            .zip(&self.features)
            .zip(&self.header.features)
        {
            // `Features` holds finite figures only.
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
        Ok(self.compiled.votes(&row[..self.features.len()]))
    }

    fn contributions(&self, features: &Features, action: Action) -> Option<Contributions> {
        self.why(features, action).ok().map(Contributions::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::builtin::ORIGINAL_FIVE;

    fn features(cpu: f64, errors: f64, uptime: f64) -> Features {
        let known = [
            (Feature::CpuUsage, cpu),
            (Feature::MemoryUsage, 40.0),
            (Feature::ErrorCount, errors),
            (Feature::Uptime, uptime),
            (Feature::HourOfDay, 12.0),
        ];
        known.into_iter().collect()
    }

    #[test]
    fn it_learned_the_originals_rule() {
        let model = Model::from_bytes(ORIGINAL_FIVE).unwrap();
        let class = |cpu, errors| model.votes(&features(cpu, errors, 9000.0)).unwrap().class();
        assert_eq!(class(30.0, 0.0), Action::NoAction);
        assert_eq!(class(30.0, 8.0), Action::ResetErrors);
        assert_eq!(class(30.0, 15.0), Action::RestartService);
    }

    #[test]
    fn beyond_what_it_was_trained_on_it_saturates_or_refuses() {
        let model = Model::from_bytes(ORIGINAL_FIVE).unwrap();
        // A year of uptime and a thousand errors mean "a lot".
        let far = model.votes(&features(30.0, 1000.0, 3e7)).unwrap();
        assert_eq!(far, model.votes(&features(30.0, 19.0, 86_399.0)).unwrap());
        // 100 % CPU was never seen: 99 was the most.
        let error = model.votes(&features(100.0, 0.0, 9000.0)).unwrap_err();
        assert_eq!(error, CannotClassify::OutOfRange(Feature::CpuUsage));
        let mut unknown = features(30.0, 0.0, 9000.0);
        unknown.set_option(Feature::MemoryUsage, None::<f64>);
        let error = model.votes(&unknown).unwrap_err();
        assert_eq!(error, CannotClassify::Missing(Feature::MemoryUsage));
    }

    #[test]
    fn rows_that_are_not_finite_never_reach_the_forest() {
        let model = Model::from_bytes(ORIGINAL_FIVE).unwrap();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = model.row_votes(&[1.0, 1.0, bad, 1.0, 1.0]).unwrap_err();
            assert_eq!(error, RowFault::NotFinite { feature: 2 });
        }
        let expected = RowFault::Width {
            found: 1,
            expected: 5,
        };
        assert_eq!(model.row_votes(&[1.0]).unwrap_err(), expected);
    }
}
