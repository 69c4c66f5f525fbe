//! Training of a forest on a data set, by smartcore.
//!
//! # Hazards
//!
//! - smartcore 0.7 panics on NaN; a [`Dataset`] contains none.
//! - Its random numbers change if any crate in the build enables its feature `std_rand`; a test checks the
//!   bytes of a small forest.

use smartcore::ensemble::random_forest_classifier::{
    RandomForestClassifier, RandomForestClassifierParameters,
};
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::TrainingError;
use super::binning::Bins;
use super::dataset::Dataset;
use super::forest_params::ForestParams;
use super::prune::prune;
use super::smartcore_trees::{SmartcoreForest, from_smartcore};
use healing_core::model::forest::{Forest, round_down};

/// Trains a forest. Returns it with the parameters used, of which `min_leaf` may have been raised.
///
/// # Errors
///
/// If there are no rows, no features or only one class, or if smartcore fails.
pub fn fit(data: &Dataset, params: &ForestParams) -> Result<(Forest, ForestParams), TrainingError> {
    if data.is_empty() {
        return Err(TrainingError::NoRows);
    }
    let label = data.labels()[0];
    if data.labels().iter().all(|other| *other == label) {
        let (rows, label) = (data.len(), label.as_str());
        return Err(TrainingError::OneClass { rows, label });
    }
    let bins = params.binned.then(|| Bins::of(data));
    let rows: Vec<Vec<f64>> = data
        .rows()
        .map(|row| {
            row.iter()
                .enumerate()
                .map(|(feature, &value)| smartcore_value(bins.as_ref(), feature, value))
                .collect()
        })
        .collect();
    let rows = DenseMatrix::from_2d_vec(&rows)
        .map_err(|error| TrainingError::Smartcore(error.to_string()))?;
    let labels: Vec<u32> = data.labels().iter().map(|label| *label as u32).collect();

    let mut params = params.clone();
    loop {
        let grown = grow(&rows, &labels, &params)?;
        let forest = from_smartcore(&grown, |feature, value| match &bins {
            Some(bins) => bins.threshold(feature, value),
            None => round_down(value),
        })?;
        if params.prune {
            let pruned = |tree| prune(tree, params.max_leaves);
            let trees = forest.trees().iter().map(pruned).collect();
            return Ok((Forest::new(forest.features(), trees)?, params));
        }
        if forest.most_leaves() <= params.max_leaves {
            return Ok((forest, params));
        }
        params.min_leaf += params.min_leaf.div_ceil(4);
    }
}

/// Returns the value that smartcore is trained on: the number of its bin, or the value itself without bins.
fn smartcore_value(bins: Option<&Bins>, feature: usize, value: f32) -> f64 {
    match bins {
        #[allow(clippy::cast_precision_loss)] // below 64
        Some(bins) => bins.bin(feature, value) as f64,
        None => value.into(),
    }
}

/// Trains smartcore's forest.
fn grow(
    rows: &DenseMatrix<f64>,
    labels: &Vec<u32>,
    params: &ForestParams,
) -> Result<SmartcoreForest, TrainingError> {
    let mut smartcore_params = RandomForestClassifierParameters::default()
        .with_n_trees(params.trees)
        .with_max_depth(params.max_depth)
        .with_min_samples_leaf(params.min_leaf)
        .with_seed(params.seed);
    smartcore_params.m = params.features_per_split;
    RandomForestClassifier::fit(rows, labels, smartcore_params)
        .map_err(|error| TrainingError::Smartcore(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smartcore_trees::to_smartcore;
    use crate::synthetic;
    use healing_core::decision::Action;
    use healing_core::model::file::checksum;

    fn small() -> (Dataset, Forest) {
        let data = synthetic::generate(300, 1).unwrap();
        let params = ForestParams {
            trees: 10,
            seed: 7,
            ..ForestParams::default()
        };
        let (forest, _) = fit(&data, &params).unwrap();
        (data, forest)
    }

    #[test]
    fn forest_of_fixed_seed_has_fixed_checksum() {
        let (_, forest) = small();
        let bytes = format!("{:?}", forest.trees());
        assert_eq!(
            format!("{:016x}", checksum(bytes.as_bytes())),
            "39a35799af077419",
            "smartcore's random numbers have changed: look for a crate that enables its feature \
             `std_rand`, or for an update of smartcore or rand, and train the built-in models again"
        );
    }

    #[test]
    fn forest_over_values_predicts_as_forest_over_bins() {
        let (data, forest) = small();
        let bins = Bins::of(&data);
        let rows: Vec<Vec<f64>> = data
            .rows()
            .map(|row| {
                row.iter()
                    .enumerate()
                    .map(|(f, &v)| bins.bin(f, v) as f64)
                    .collect()
            })
            .collect();
        let matrix = DenseMatrix::from_2d_vec(&rows).unwrap();
        let labels: Vec<u32> = data.labels().iter().map(|label| *label as u32).collect();
        let params = ForestParams {
            trees: 10,
            seed: 7,
            ..ForestParams::default()
        };
        let over_bins = grow(&matrix, &labels, &params)
            .unwrap()
            .predict(&matrix)
            .unwrap();
        let values: Vec<Vec<f64>> = data
            .rows()
            .map(|row| row.iter().map(|&v| v.into()).collect())
            .collect();
        let values = DenseMatrix::from_2d_vec(&values).unwrap();
        let over_values = to_smartcore(&forest).unwrap().predict(&values).unwrap();
        assert_eq!(over_bins, over_values);
        for (row, class) in data.rows().zip(over_bins) {
            assert_eq!(forest.traverse(row).class() as u32, class);
        }
    }

    #[test]
    fn forest_has_at_most_64_leaves_and_63_thresholds() {
        let data = synthetic::generate(1000, 42).unwrap();
        let (forest, _) = fit(
            &data,
            &ForestParams {
                trees: 20,
                ..ForestParams::default()
            },
        )
        .unwrap();
        assert!(forest.most_leaves() <= 64);
        assert!(
            forest
                .thresholds()
                .iter()
                .all(|thresholds| thresholds.len() <= 63)
        );
    }

    #[test]
    fn fit_rejects_no_rows_and_single_class() {
        let mut data = Dataset::new(["x"]);
        assert_eq!(
            fit(&data, &ForestParams::default()),
            Err(TrainingError::NoRows)
        );
        data.push(&[1.0], Action::RestartService, "").unwrap();
        assert_eq!(
            fit(&data, &ForestParams::default())
                .unwrap_err()
                .to_string(),
            "all 1 rows are labelled restart_service: a forest needs at least two classes"
        );
    }

    #[test]
    fn fit_keeps_class_numbers_if_one_class_is_missing() {
        let mut data = Dataset::new(["x"]);
        for x in 0..20_u8 {
            let label = if x < 10 {
                Action::ResetErrors
            } else {
                Action::RestartService
            };
            data.push(&[x.into()], label, "").unwrap();
        }
        let (forest, _) = fit(
            &data,
            &ForestParams {
                trees: 9,
                ..ForestParams::default()
            },
        )
        .unwrap();
        assert_eq!(forest.traverse(&[0.0]).0, [0, 9, 0]);
        assert_eq!(forest.traverse(&[19.0]).0, [0, 0, 9]);
    }
}
