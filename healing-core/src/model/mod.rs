//! Random-forest models: file format, validation, inference and explanation.
//!
//! Training is in the crate `healing-training`; a trained model runs without it. The methods of [`Model`]
//! are grouped by theme: the file format in [`mod@file`], explanations in [`explain`], the rest here. Only
//! this module touches its fields.

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

/// Validated model, which can classify every row of finite values.
#[derive(Debug)]
pub struct Model {
    header: Header,
    forest: Forest,
    compiled: Compiled,
    features: Vec<Feature>,
    self_check: SelfCheck,
}

/// Rows with their expected votes.
pub type SelfCheck = Vec<(Vec<f32>, Votes)>;

/// Defect of a rejected row.
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

    /// Builds a model from the parts of a file, and validates that they are consistent.
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
            compiled: Compiled::new(&forest),
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

    /// Returns the compiled forest.
    #[must_use]
    pub fn compiled(&self) -> &Compiled {
        &self.compiled
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
        Ok(self.compiled.votes(row))
    }

    /// Returns the row to evaluate, with every feature present and within its trained range.
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
        Ok(self.compiled.votes(&row[..self.features.len()]))
    }

    fn contributions(&self, features: &Features, action: Action) -> Option<Contributions> {
        self.explain(features, action).ok().map(Contributions::from)
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
    fn original_five_learned_the_original_rules() {
        let model = Model::from_bytes(ORIGINAL_FIVE).unwrap();
        let class = |cpu, errors| model.votes(&features(cpu, errors, 9000.0)).unwrap().class();
        assert_eq!(class(30.0, 0.0), Action::NoAction);
        assert_eq!(class(30.0, 8.0), Action::ResetErrors);
        assert_eq!(class(30.0, 15.0), Action::RestartService);
    }

    #[test]
    fn values_outside_trained_range_are_clamped_or_rejected() {
        let model = Model::from_bytes(ORIGINAL_FIVE).unwrap();
        // A year of uptime and a thousand errors are clamped to the trained maximum.
        let far = model.votes(&features(30.0, 1000.0, 3e7)).unwrap();
        assert_eq!(far, model.votes(&features(30.0, 19.0, 86_399.0)).unwrap());
        // The training data has CPU up to 99 %, and CPU is a bounded feature.
        let error = model.votes(&features(100.0, 0.0, 9000.0)).unwrap_err();
        assert_eq!(error, CannotClassify::OutOfRange(Feature::CpuUsage));
        let mut unknown = features(30.0, 0.0, 9000.0);
        unknown.set_option(Feature::MemoryUsage, None::<f64>);
        let error = model.votes(&unknown).unwrap_err();
        assert_eq!(error, CannotClassify::Missing(Feature::MemoryUsage));
    }

    #[test]
    fn invalid_rows_are_rejected_before_inference() {
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
