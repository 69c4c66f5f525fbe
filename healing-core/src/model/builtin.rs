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
    use crate::features::{Feature, Features};

    /// The neutral value of a level is one of many. It would be a guess if the votes depended on it.
    #[test]
    fn default_votes_hardly_depend_on_ordinary_levels() {
        let model = named("default").unwrap().unwrap();
        let votes = |errors: f64, level: Option<(Feature, f64)>| {
            let known = [
                (Feature::Uptime, 3600.0),
                (Feature::HourOfDay, 12.0),
                (Feature::ErrorRatioFast, errors),
                (Feature::ErrorRatioSlow, errors),
            ];
            let features: Features = known.into_iter().chain(level).collect();
            model.votes(&features).unwrap()
        };
        for errors in [0.0, 0.1, 0.6] {
            let neutral = votes(errors, None);
            for feature in [Feature::CpuUsage, Feature::MemoryUsage] {
                for percent in [5.0, 10.0, 20.0, 40.0, 50.0, 60.0] {
                    let other = votes(errors, Some((feature, percent)));
                    let differ = neutral.0.iter().zip(other.0).map(|(a, b)| a.abs_diff(b));
                    assert!(
                        differ.max().unwrap() <= 10,
                        "{feature} {percent} %: {other:?}, neutral {neutral:?}"
                    );
                }
            }
        }
    }

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
