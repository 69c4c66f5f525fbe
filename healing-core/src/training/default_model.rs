//! The default model: what it looks at, what it learns from, how it is grown.
//!
//! The recipe was chosen on seeds of its own ([`DEVELOPMENT`]); the seeds of the judgement
//! (`cargo run --release -p healing-core --features train --example judge`) were used for nothing else.

use super::TrainingError;
use super::builtin::train_and_judge;
use super::evaluate::Report;
use super::fit::Recipe;
use super::situations::{Situation, Window, dataset, windows};
use crate::brain::Model;
use crate::features::Feature;

/// Its features. Left out are those that an app with little traffic lacks (durations against their
/// usual) and those that speak of one service's size (requests per second, in flight).
pub const FEATURES: [Feature; 15] = [
    Feature::ErrorRatioFast,
    Feature::ErrorRatioSlow,
    Feature::PanicRatio,
    Feature::Uptime,
    Feature::CpuUsage,
    Feature::LoadRatio,
    Feature::MemoryUsage,
    Feature::MemorySlope,
    Feature::MemoryTimeToLimit,
    Feature::FdUsage,
    Feature::FdTimeToLimit,
    Feature::RuntimeLag,
    Feature::FailingDependencies,
    Feature::FailingLocals,
    Feature::SinceLastHeal,
];

/// The seed of the windows that the recipe was chosen on.
pub const DEVELOPMENT: u64 = 1001;
/// The seed of the windows that the compiled-in model has learned from, and of its forest.
pub const SEED: u64 = 42;
/// Incidents of each situation that it has learned from, and is judged on beside.
pub const INCIDENTS: u32 = 60;

/// How its forest is grown. More features a split than the root of their number, because most rows
/// are told apart by one or two of them; leaves of five rows and more keep the votes honest.
#[must_use]
pub fn recipe(seed: u64) -> Recipe {
    Recipe {
        trees: 100,
        min_leaf: 5,
        max_depth: 12,
        features_per_split: Some(5),
        seed,
        ..Recipe::default()
    }
}

/// Draws the situations, learns from three quarters of the incidents, reports on the rest.
///
/// # Errors
/// Where training fails.
pub fn default_model(incidents: u32, seed: u64) -> Result<(Model, Report), TrainingError> {
    let all = windows(&Situation::ALL, incidents, seed);
    let (train, test): (Vec<&Window>, Vec<&Window>) =
        all.iter().partition(|window| !is_held_out(window));
    let words = format!(
        "{} simulated situations, {incidents} incidents of each, a quarter held out, seed {seed}",
        Situation::ALL.len()
    );
    train_and_judge(
        "default",
        &words,
        &dataset(train, &FEATURES)?,
        &dataset(test, &FEATURES)?,
        &recipe(seed),
    )
}

/// Every fourth incident (they are numbered in a mixed order) is kept for judging.
#[must_use]
pub fn is_held_out(window: &Window) -> bool {
    window.incident.is_multiple_of(4)
}
