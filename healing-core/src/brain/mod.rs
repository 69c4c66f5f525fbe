//! What proposes an action: the forest of a model, or rules.

#[cfg(feature = "forest")]
pub mod builtin;
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

#[cfg(feature = "forest")]
pub use {header::Header, model::Model, model_error::ModelError};
