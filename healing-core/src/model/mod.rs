//! Random-forest models: file format, validation, inference and explanation.
//!
//! Training is in the crate `healing-training`; a trained model runs without it. The methods of [`Model`]
//! are grouped by theme: the file format in [`mod@file`], explanations in [`explain`], the rest here. Only
//! this module touches its fields.
//!
//! # Hazards
//!
//! A model gets every value within the range that it was trained on, and the [neutral value](crate::features)
//! of an absent feature. Both make a familiar row of an unfamiliar one: an app that uses less memory than any
//! in training looks like the one that used least. The classification names these features, and a vote stays
//! bounded by the evidence: a model never restarts a healthy app. Such votes are much worse: on 416 simulated
//! moments, the default model's log loss is 0.18 where it gets every feature, and 1.6 on the 46 others; 26 of
//! these are of an app whose usual load is not known yet, and there it votes for treatments that do not help.

pub mod builtin;
mod classifier;
pub mod error;
pub mod explain;
pub mod file;
pub mod forest;
pub mod header;
pub mod inference;
mod row;

pub use classifier::{Classification, Classifier, Contributions, MissingFeature, Votes};
pub use error::ModelError;
pub use header::Header;

use crate::decision::Action;
use crate::features::{Feature, Features};
use crate::model_record::Abstention;
use forest::{CLASSES, Forest};
use header::{FeatureRange, Provenance};
use inference::Compiled;
use row::Row;

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

    /// Returns the votes on features, as [`classify`](Classifier::classify) does.
    ///
    /// # Errors
    ///
    /// The first feature that is absent and has no neutral value.
    pub fn votes(&self, features: &Features) -> Result<Votes, MissingFeature> {
        self.evaluate(&self.row(features))
    }

    /// Returns the votes on a row that lacks no feature.
    fn evaluate(&self, row: &Row) -> Result<Votes, MissingFeature> {
        match row.missing {
            Some(feature) => Err(MissingFeature(feature)),
            None => Ok(self.compiled.votes(&row.values[..self.features.len()])),
        }
    }

    /// Returns the row to evaluate.
    fn row(&self, features: &Features) -> Row {
        Row::new(features, &self.features, &self.header.features)
    }
}

impl Classifier for Model {
    fn classify(&self, features: &Features) -> Classification {
        let row = self.row(features);
        Classification {
            votes: self
                .evaluate(&row)
                .map_err(|MissingFeature(_)| Abstention::AbsentFeature),
            clamped: row.clamped,
            absent: row.absent,
        }
    }

    fn contributions(&self, features: &Features, action: Action) -> Option<Contributions> {
        self.explain(features, action).ok().map(Contributions::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FeatureSet;
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
    fn values_outside_trained_range_are_clamped_and_counted() {
        let model = Model::from_bytes(ORIGINAL_FIVE).unwrap();
        // The training data has 0 to 99 % of CPU, up to 19 errors and a day of uptime.
        let far = model.classify(&features(100.0, 1000.0, 3e7));
        let edge = model.classify(&features(99.0, 19.0, 86_219.0));
        assert_eq!(far.votes, edge.votes);
        assert_eq!(edge, Classification::from(edge.votes), "nothing is clamped");
        let clamped = [Feature::CpuUsage, Feature::ErrorCount, Feature::Uptime];
        assert_eq!(far.clamped, FeatureSet::of(&clamped));
        assert_eq!(
            (far.record().abstained, far.absent),
            (None, FeatureSet::EMPTY)
        );
    }

    #[test]
    fn absent_feature_counts_as_its_neutral_value() {
        let model = Model::from_bytes(ORIGINAL_FIVE).unwrap();
        let mut figures = features(90.0, 12.0, 9000.0);
        figures.set(Feature::MemoryUsage, 30.0);
        let neutral = model.classify(&figures);
        figures.set_option(Feature::MemoryUsage, None::<f64>);
        let absent = model.classify(&figures);
        assert_eq!(absent.votes, neutral.votes);
        assert_eq!(absent.absent, FeatureSet::of(&[Feature::MemoryUsage]));
        assert!(absent.clamped.is_empty() && neutral.absent.is_empty());
    }

    #[test]
    fn model_abstains_without_a_feature_that_has_no_neutral_value() {
        let model = Model::from_bytes(ORIGINAL_FIVE).unwrap();
        let mut figures = features(100.0, 0.0, 9000.0);
        figures.set_option(Feature::Uptime, None::<f64>);
        let record = model.classify(&figures).record();
        assert_eq!(record.abstained, Some(Abstention::AbsentFeature));
        assert_eq!(record.clamped, FeatureSet::of(&[Feature::CpuUsage]));
        assert_eq!(record.absent, FeatureSet::of(&[Feature::Uptime]));
        assert_eq!(
            model.votes(&figures).unwrap_err(),
            MissingFeature(Feature::Uptime)
        );
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
