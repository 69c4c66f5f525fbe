//! Training of the built-in models.
//!
//! `builtin-models` writes the files under `models/`; a test checks that `original-five` is reproduced
//! byte for byte.

use std::collections::BTreeMap;

use super::TrainingError;
use super::dataset::Dataset;
use super::evaluate::{Report, evaluate};
use super::fit::fit;
use super::forest_params::ForestParams;
use super::splits::train_test_split;
use super::synthetic;
use healing_core::model::Model;
use healing_core::model::forest::Forest;
use healing_core::model::header::{FeatureRange, Provenance};

/// Number of rows stored in a model with their expected votes.
const SELF_CHECK_ROWS: usize = 32;

/// Trains the original system's model with its five features, its 1000 rows and its split. Returns it
/// with the report on the held-out fifth of the rows.
///
/// # Errors
///
/// If training fails.
pub fn original_five(seed: u64) -> Result<(Model, Report), TrainingError> {
    let data = synthetic::generate(synthetic::ROWS, seed)?;
    let (train, test) = train_test_split(&data, 0.2, seed);
    let params = ForestParams {
        seed,
        ..ForestParams::default()
    };
    let source = format!(
        "the original's synthetic generator, {} rows, seed {seed}",
        data.len()
    );
    train_and_evaluate("original-five", &source, &train, &test, &params)
}

/// Trains on one data set, evaluates on the other, and stores the scores in the model's header.
/// `source` describes the data there.
///
/// # Errors
///
/// If training fails.
pub fn train_and_evaluate(
    name: &str,
    source: &str,
    train: &Dataset,
    test: &Dataset,
    params: &ForestParams,
) -> Result<(Model, Report), TrainingError> {
    let (forest, used) = fit(train, params)?;
    let provenance = Provenance {
        learner: if used.prune {
            format!(
                "smartcore 0.7, 64 bins, cut back to {} leaves",
                used.max_leaves
            )
        } else {
            "smartcore 0.7, 64 bins".to_owned()
        },
        data: source.to_owned(),
        data_hash: format!("{:016x}", train.hash()),
        rows: train.len(),
        seed: used.seed,
        min_leaf: used.min_leaf,
        max_depth: used.max_depth,
        scores: BTreeMap::new(),
    };
    let without_scores = model(name, train, forest, provenance)?;
    let report = evaluate(&without_scores, test, used.seed).map_err(TrainingError::Columns)?;
    let mut provenance = without_scores.header().provenance.clone();
    provenance
        .scores
        .insert("accuracy".to_owned(), rounded(report.accuracy));
    provenance
        .scores
        .insert("log_loss".to_owned(), rounded(report.calibration.log_loss));
    Ok((
        model(name, train, without_scores.forest().clone(), provenance)?,
        report,
    ))
}

/// Returns the model of a forest, with feature ranges and self-check rows of its training data.
fn model(
    name: &str,
    train: &Dataset,
    forest: Forest,
    provenance: Provenance,
) -> Result<Model, TrainingError> {
    let features = train
        .features()
        .iter()
        .enumerate()
        .map(|(index, name)| FeatureRange {
            name: name.clone(),
            min: train.column(index).fold(f32::INFINITY, f32::min),
            max: train.column(index).fold(f32::NEG_INFINITY, f32::max),
        });
    let step = (train.len() / SELF_CHECK_ROWS).max(1);
    let rows = train
        .rows()
        .step_by(step)
        .take(SELF_CHECK_ROWS)
        .map(<[f32]>::to_vec)
        .collect();
    Ok(Model::new(
        name,
        features.collect(),
        forest,
        rows,
        provenance,
    )?)
}

/// Rounds a score to six decimal places.
fn rounded(score: f64) -> f64 {
    (score * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use healing_core::model::builtin::ORIGINAL_FIVE;

    use super::*;

    #[test]
    fn original_five_is_reproduced_byte_for_byte() {
        let (model, report) = original_five(42).unwrap();
        assert!(
            model.to_bytes() == ORIGINAL_FIVE,
            "training has changed: run `cargo run --release -p healing-training --bin builtin-models`"
        );
        assert!(report.accuracy > 0.95, "{report}");
        assert!(report.calibration.log_loss < 0.30, "{report}");
    }
}
