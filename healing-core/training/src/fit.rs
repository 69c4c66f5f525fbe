//! A forest from a data set, by smartcore.
//!
//! Hazards of smartcore 0.7 that are kept out here: it panics on NaN (a [`Dataset`] has none), and
//! its random numbers change when any crate in the build turns its feature `std_rand` on (a test
//! checks the bytes of a small forest).

use smartcore::ensemble::random_forest_classifier::{
    RandomForestClassifier, RandomForestClassifierParameters,
};
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::TrainingError;
use super::bins::Bins;
use super::dataset::Dataset;
use super::prune::prune;
use super::smartcore_trees::{SmartcoreForest, from_smartcore};
use healing_core::model::forest::Forest;

/// Leaves that one machine word can stand for.
pub const WORD_LEAVES: usize = 64;

/// How to grow a forest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// How many trees.
    pub trees: u16,
    /// Rows a leaf must have at least: small leaves are sure of themselves without reason.
    pub min_leaf: usize,
    /// Depth limit.
    pub max_depth: u16,
    /// Features tried at each split; the root of their number if absent.
    pub features_per_split: Option<usize>,
    /// Leaves a tree may have. While one has more, the forest is grown again with larger leaves.
    pub max_leaves: usize,
    /// Cut trees back to `max_leaves` instead: see [`prune`](super::prune).
    pub prune: bool,
    /// Put rows into 64 bins first.
    pub binned: bool,
    /// Seed of the forest.
    pub seed: u64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            trees: 100,
            min_leaf: 5,
            max_depth: 10,
            features_per_split: None,
            max_leaves: WORD_LEAVES,
            prune: false,
            binned: true,
            seed: 42,
        }
    }
}

/// Grows a forest. Returns it with the recipe as used: `min_leaf` may have been raised.
///
/// # Errors
/// Without rows or features, or where smartcore fails.
pub fn fit(data: &Dataset, recipe: &Recipe) -> Result<(Forest, Recipe), TrainingError> {
    if data.is_empty() {
        return Err(TrainingError::NoRows);
    }
    let label = data.labels()[0];
    if data.labels().iter().all(|other| *other == label) {
        let (rows, label) = (data.len(), label.as_str());
        return Err(TrainingError::OneClass { rows, label });
    }
    let bins = recipe.binned.then(|| Bins::of(data));
    let rows: Vec<Vec<f64>> = data
        .rows()
        .map(|row| {
            row.iter()
                .enumerate()
                .map(|(feature, &value)| figure(bins.as_ref(), feature, value))
                .collect()
        })
        .collect();
    let rows = DenseMatrix::from_2d_vec(&rows)
        .map_err(|error| TrainingError::Smartcore(error.to_string()))?;
    let labels: Vec<u32> = data.labels().iter().map(|label| *label as u32).collect();

    let mut recipe = recipe.clone();
    loop {
        let grown = grow(&rows, &labels, &recipe)?;
        let forest = from_smartcore(&grown, |feature, value| match &bins {
            Some(bins) => bins.threshold(feature, value),
            None => healing_core::model::forest::round_down(value),
        })?;
        if recipe.prune {
            let cut = |tree| prune(tree, recipe.max_leaves);
            let trees = forest.trees().iter().map(cut).collect();
            return Ok((Forest::new(forest.features(), trees)?, recipe));
        }
        if forest.most_leaves() <= recipe.max_leaves {
            return Ok((forest, recipe));
        }
        recipe.min_leaf += recipe.min_leaf.div_ceil(4);
    }
}

/// What smartcore sees of a value.
fn figure(bins: Option<&Bins>, feature: usize, value: f32) -> f64 {
    match bins {
        #[allow(clippy::cast_precision_loss)] // below 64
        Some(bins) => bins.bin(feature, value) as f64,
        None => value.into(),
    }
}

fn grow(
    rows: &DenseMatrix<f64>,
    labels: &Vec<u32>,
    recipe: &Recipe,
) -> Result<SmartcoreForest, TrainingError> {
    let mut parameters = RandomForestClassifierParameters::default()
        .with_n_trees(recipe.trees)
        .with_max_depth(recipe.max_depth)
        .with_min_samples_leaf(recipe.min_leaf)
        .with_seed(recipe.seed);
    parameters.m = recipe.features_per_split;
    RandomForestClassifier::fit(rows, labels, parameters)
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
        let recipe = Recipe {
            trees: 10,
            seed: 7,
            ..Recipe::default()
        };
        let (forest, _) = fit(&data, &recipe).unwrap();
        (data, forest)
    }

    #[test]
    fn the_same_seed_grows_the_same_forest_whatever_else_is_built() {
        let (_, forest) = small();
        let bytes = format!("{:?}", forest.trees());
        assert_eq!(
            format!("{:016x}", checksum(bytes.as_bytes())),
            "39a35799af077419",
            "smartcore's random numbers changed: has a crate turned on its feature `std_rand`, or \
             was smartcore or rand updated? Then train the built-in models anew."
        );
    }

    #[test]
    fn forests_over_values_decide_as_forests_over_bins() {
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
        let recipe = Recipe {
            trees: 10,
            seed: 7,
            ..Recipe::default()
        };
        let over_bins = grow(&matrix, &labels, &recipe)
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
    fn trees_fit_one_word_and_thresholds_64_ranks() {
        let data = synthetic::generate(1000, 42).unwrap();
        let (forest, _) = fit(
            &data,
            &Recipe {
                trees: 20,
                ..Recipe::default()
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
    fn what_cannot_be_learned_from_is_an_error() {
        let mut data = Dataset::new(["x"]);
        assert_eq!(fit(&data, &Recipe::default()), Err(TrainingError::NoRows));
        data.push(&[1.0], Action::RestartService, "").unwrap();
        assert_eq!(
            fit(&data, &Recipe::default()).unwrap_err().to_string(),
            "all 1 rows are labelled restart_service: a forest needs at least two classes"
        );
    }

    #[test]
    fn a_missing_class_keeps_the_others_numbers() {
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
            &Recipe {
                trees: 9,
                ..Recipe::default()
            },
        )
        .unwrap();
        assert_eq!(forest.traverse(&[0.0]).0, [0, 9, 0]);
        assert_eq!(forest.traverse(&[19.0]).0, [0, 0, 9]);
    }
}
