//! The models that are compiled in.

use super::Model;
use super::error::ModelError;
use crate::brain::Proposer;

/// The original system's five-feature forest.
pub const ORIGINAL_FIVE: &[u8] = include_bytes!("../../models/original-five.model");

/// The default: fifteen features, learned from simulated situations.
pub const DEFAULT: &[u8] = include_bytes!("../../models/default.model");

/// The name of each model that is compiled in, with its file's bytes.
pub const ALL: [(&str, &[u8]); 2] = [("default", DEFAULT), ("original-five", ORIGINAL_FIVE)];

/// The model with this name.
///
/// # Errors
/// None in practice: tests read each of them.
#[must_use]
pub fn named(name: &str) -> Option<Result<Model, ModelError>> {
    ALL.iter()
        .find(|(known, _)| *known == name)
        .map(|(_, bytes)| Model::from_bytes(bytes))
}

impl Proposer {
    /// The model that is compiled in and asked unless another is named.
    #[must_use]
    pub fn default_model() -> Self {
        // It is read by a test; a sidecar whose own model were damaged would still have its rules.
        Model::from_bytes(DEFAULT).map_or(Self::Rules, |model| Self::Model(Box::new(model)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_model() {
        assert!(matches!(Proposer::default_model(), Proposer::Model(_)));
    }

    #[test]
    fn each_can_be_read_and_says_its_name() {
        for (name, bytes) in ALL {
            let model = named(name).unwrap().unwrap();
            assert_eq!(model.header().name, name);
            assert_eq!(model.to_bytes(), bytes, "{name} is written as it was read");
            assert!(bytes.len() <= 128 << 10, "{name} has {} bytes", bytes.len());
        }
    }
}
