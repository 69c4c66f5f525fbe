//! The models that are compiled in, made anew from nothing but their seeds. `healing train` writes
//! them; the files under `models/` are what it wrote, and a test compares.

use std::collections::BTreeMap;

use super::TrainingError;
use super::dataset::Dataset;
use super::evaluate::{Report, evaluate};
use super::fit::{Recipe, fit};
use super::synthetic;
use healing_core::model::Model;
use healing_core::model::forest::Forest;
use healing_core::model::header::{FeatureRange, Provenance};
use healing_core::rng::Rng;

/// Rows kept in a model with their votes.
const SELF_CHECK_ROWS: usize = 32;

/// The original system's model: its five features, its 1000 rows, its split. Returns the report on
/// the fifth of the rows that was held out.
///
/// # Errors
/// Where training fails.
pub fn original_five(seed: u64) -> Result<(Model, Report), TrainingError> {
    let data = synthetic::generate(synthetic::ROWS, seed)?;
    let (train, test) = split(&data, 0.2, seed);
    let recipe = Recipe {
        seed,
        ..Recipe::default()
    };
    let words = format!(
        "the original's synthetic generator, {} rows, seed {seed}",
        data.len()
    );
    train_and_judge("original-five", &words, &train, &test, &recipe)
}

/// Trains on one part, judges on the other, and puts the scores into the model's header.
///
/// # Errors
/// Where training fails.
pub fn train_and_judge(
    name: &str,
    words: &str,
    train: &Dataset,
    test: &Dataset,
    recipe: &Recipe,
) -> Result<(Model, Report), TrainingError> {
    let (forest, used) = fit(train, recipe)?;
    let provenance = Provenance {
        learner: if used.prune {
            format!(
                "smartcore 0.7, 64 bins, cut back to {} leaves",
                used.max_leaves
            )
        } else {
            "smartcore 0.7, 64 bins".to_owned()
        },
        data: words.to_owned(),
        data_hash: format!("{:016x}", train.hash()),
        rows: train.len(),
        seed: used.seed,
        min_leaf: used.min_leaf,
        max_depth: used.max_depth,
        scores: BTreeMap::new(),
    };
    let unjudged = model(name, train, forest, provenance)?;
    let report = evaluate(&unjudged, test, used.seed).map_err(TrainingError::Columns)?;
    let mut provenance = unjudged.header().provenance.clone();
    provenance
        .scores
        .insert("accuracy".to_owned(), rounded(report.accuracy));
    provenance
        .scores
        .insert("log_loss".to_owned(), rounded(report.calibration.log_loss));
    Ok((
        model(name, train, unjudged.forest().clone(), provenance)?,
        report,
    ))
}

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

/// Shuffles and splits; the second part has this share of the rows.
#[must_use]
pub fn split(data: &Dataset, test_share: f64, seed: u64) -> (Dataset, Dataset) {
    let mut order: Vec<usize> = (0..data.len()).collect();
    Rng::new(seed).part(1).shuffle(&mut order);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let test = (data.len() as f64 * test_share.clamp(0.0, 1.0)).round() as usize;
    (data.select(&order[test..]), data.select(&order[..test]))
}

/// To six places: a score is not worth more, and the file stays readable.
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
