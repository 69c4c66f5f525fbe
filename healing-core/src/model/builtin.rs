//! The built-in models.

use super::Model;
use super::error::ModelError;

/// Model with the original system's five features, as file content.
pub const ORIGINAL_FIVE: &[u8] = include_bytes!("../../models/original-five.model");

/// Default model, as file content: fifteen features, trained on simulated incidents.
pub const DEFAULT: &[u8] = include_bytes!("../../models/default.model");

/// Name and file content of every built-in model.
pub const ALL: [(&str, &[u8]); 2] = [("default", DEFAULT), ("original-five", ORIGINAL_FIVE)];

/// Returns the built-in model with this name; `None` if there is none.
///
/// # Errors
///
/// None in practice, because a test reads every built-in model.
#[must_use]
pub fn named(name: &str) -> Option<Result<Model, ModelError>> {
    ALL.iter()
        .find(|(known, _)| *known == name)
        .map(|(_, bytes)| Model::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtin_models_round_trip_byte_for_byte() {
        for (name, bytes) in ALL {
            let model = named(name).unwrap().unwrap();
            assert_eq!(model.header().name, name);
            assert_eq!(model.to_bytes(), bytes, "{name} differs when written");
            assert!(bytes.len() <= 128 << 10, "{name} has {} bytes", bytes.len());
        }
    }
}
