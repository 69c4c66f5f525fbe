//! From data to a model, and how good it is. Needs smartcore (feature `train`); what is trained here
//! runs without it.

pub mod baselines;
pub mod bins;
pub mod builtin;
pub mod calibration;
pub mod compare;
pub mod dataset;
pub mod default_model;
pub mod evaluate;
pub mod fit;
pub mod grid_search;
pub mod prune;
pub mod read;
pub mod read_csv;
#[cfg(test)]
mod read_fuzz;
pub mod read_jsonl;
pub mod simulator;
pub mod smartcore_trees;
pub mod splits;
pub mod synthetic;

use healing_core::model::RowFault;
use healing_core::model::{ModelError, forest::TreeError};

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// Nothing to learn from.
    #[error("the data set has no rows")]
    NoRows,
    /// One class has no alternative: there is nothing to tell apart.
    #[error("all {rows} rows are labelled {label}: a forest needs at least two classes")]
    OneClass {
        /// How many rows.
        rows: usize,
        /// Their label.
        label: &'static str,
    },
    /// A row that cannot be learned from.
    #[error(transparent)]
    Row(#[from] dataset::RowError),
    /// Test data with other columns than the training data.
    #[error("the test data do not fit: {0}")]
    Columns(RowFault),
    /// The learner failed.
    #[error("smartcore: {0}")]
    Smartcore(String),
    /// What it learned is no forest.
    #[error("the trained forest is unusable: {0}")]
    Tree(#[from] TreeError),
    /// What it learned makes no model.
    #[error(transparent)]
    Model(#[from] ModelError),
}
