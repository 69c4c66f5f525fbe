//! Who proposes an action for an app that answers: a model's votes, or compiled-in rules.
//!
//! Hazard: a brain only *proposes*. Evidence says what may be proposed at all, permission what may
//! be done; so a model that is wrong, or hostile, can leave an ill app alone but cannot heal a
//! healthy one or exceed a budget.

#[cfg(feature = "forest")]
pub mod builtin;
mod classifier;
#[cfg(feature = "forest")]
pub mod compile;
#[cfg(feature = "forest")]
pub mod explain;
#[cfg(feature = "forest")]
pub mod forest;
#[cfg(feature = "forest")]
pub mod header;
#[cfg(feature = "forest")]
pub mod model;
#[cfg(feature = "forest")]
pub mod model_error;
#[cfg(feature = "forest")]
pub mod model_file;

pub use classifier::{CannotClassify, Classifier, Contributions, Votes};
#[cfg(feature = "forest")]
pub use {header::Header, model::Model, model_error::ModelError};

pub use crate::policy::{Proposer, min_expected_cost};
