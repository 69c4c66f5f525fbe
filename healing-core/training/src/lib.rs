//! Training, evaluation and comparison of random-forest models.
//!
//! Training needs smartcore; a trained model runs without this crate.

/// Doc tests of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod baselines;
pub mod binning;
pub mod builtin;
pub mod calibration;
pub mod compare;
pub mod dataset;
pub mod default_model;
pub mod episode;
pub mod evaluate;
pub mod fit;
pub mod forest_params;
pub mod grid_search;
pub mod judge;
pub mod prune;
pub mod reader;
#[cfg(feature = "recordings")]
pub mod recordings;
pub mod simulator;
pub mod smartcore_trees;
pub mod splits;
pub mod synthetic;

use healing_core::model::RowFault;
use healing_core::model::{ModelError, forest::TreeError};

/// Error of training.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// The data set is empty.
    #[error("the data set has no rows")]
    NoRows,
    /// All rows have one label.
    #[error("all {rows} rows are labelled {label}: a forest needs at least two classes")]
    OneClass {
        /// Number of rows.
        rows: usize,
        /// Label of all rows.
        label: &'static str,
    },
    /// A row is invalid.
    #[error(transparent)]
    Row(#[from] dataset::RowError),
    /// The test data have other columns than the training data.
    #[error("the test data do not match the model: {0}")]
    Columns(RowFault),
    /// smartcore failed.
    #[error("smartcore: {0}")]
    Smartcore(String),
    /// The trained forest is invalid.
    #[error("the trained forest is invalid: {0}")]
    Tree(#[from] TreeError),
    /// The trained forest does not make a valid model.
    #[error(transparent)]
    Model(#[from] ModelError),
}
