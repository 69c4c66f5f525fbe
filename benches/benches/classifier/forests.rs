//! Forests that are timed: 1000 rows, seed 42, 64 bins, at least 5 rows per leaf, at most 64 leaves per
//! tree; and a full-depth one, which is smartcore's default.

use healing_core::features::Feature;
use healing_core::model::Model;
use healing_core::model::header::{FeatureRange, Provenance};
use healing_core::rng::Rng;
use healing_training::dataset::Dataset;
use healing_training::fit::fit;
use healing_training::forest_params::ForestParams;
use healing_training::smartcore_trees::{SmartcoreForest, to_smartcore};
use healing_training::synthetic;
use smartcore::linalg::basic::matrix::DenseMatrix;

const ROWS: usize = 1000;
const SEED: u64 = 42;

/// Forest in both forms, and the rows that both classify.
pub(crate) struct BenchForest {
    pub(crate) model: Model,
    pub(crate) smartcore: SmartcoreForest,
    pub(crate) rows: Vec<Vec<f32>>,
    pub(crate) matrices: Vec<DenseMatrix<f64>>,
}

/// Trains a forest on the original system's five features.
pub(crate) fn original(trees: u16) -> BenchForest {
    let params = ForestParams {
        trees,
        seed: SEED,
        ..ForestParams::default()
    };
    let data = synthetic::generate(ROWS, SEED).unwrap();
    forest_of(
        &data,
        &synthetic::generate(ROWS, SEED + 1).unwrap(),
        &params,
    )
}

/// Trains a forest on fifteen features, the five and ten of noise.
pub(crate) fn wide(trees: u16) -> BenchForest {
    let params = ForestParams {
        trees,
        seed: SEED,
        ..ForestParams::default()
    };
    forest_of(
        &with_noise_features(SEED),
        &with_noise_features(SEED + 1),
        &params,
    )
}

/// Trains a forest that does not fit bit vectors of one word, because leaves have one row and every value
/// is a threshold.
pub(crate) fn full_depth(trees: u16) -> BenchForest {
    let params = ForestParams {
        trees,
        seed: SEED,
        min_leaf: 1,
        max_depth: 60,
        max_leaves: usize::MAX,
        binned: false,
        ..ForestParams::default()
    };
    let noisy = |seed| with_label_noise(&synthetic::generate(ROWS, seed).unwrap(), seed);
    forest_of(&noisy(SEED), &noisy(SEED + 1), &params)
}

fn with_noise_features(seed: u64) -> Dataset {
    let five = synthetic::generate(ROWS, seed).unwrap();
    let mut rng = Rng::new(seed).part(15);
    let names = Feature::ALL.into_iter().map(Feature::name).take(15);
    let mut data = Dataset::new(names);
    for (row, label) in five.rows().zip(five.labels()) {
        let mut row = row.to_vec();
        #[allow(clippy::cast_possible_truncation)] // from 0 to 1
        row.extend((0..10).map(|_| rng.unit() as f32));
        data.push(&row, *label, "").unwrap();
    }
    data
}

/// Draws a tenth of the labels at random, so that trees grow deep.
fn with_label_noise(data: &Dataset, seed: u64) -> Dataset {
    let mut rng = Rng::new(seed).part(10);
    let mut noisy = Dataset::new(data.features().iter().cloned());
    for (index, row) in data.rows().enumerate() {
        let from = if rng.below(10) == 0 {
            rng.index(data.len())
        } else {
            index
        };
        noisy.push(row, data.labels()[from], "").unwrap();
    }
    noisy
}

fn forest_of(train: &Dataset, rows: &Dataset, params: &ForestParams) -> BenchForest {
    let (forest, used) = fit(train, params).unwrap();
    let smartcore = to_smartcore(&forest).unwrap();
    let features = train.features().iter().map(|name| FeatureRange {
        name: name.clone(),
        min: -1e6,
        max: 1e6,
    });
    let provenance = Provenance {
        seed: used.seed,
        rows: train.len(),
        ..Provenance::default()
    };
    let checks = train.rows().take(32).map(<[f32]>::to_vec).collect();
    let model = Model::new("bench", features.collect(), forest, checks, provenance).unwrap();
    let rows: Vec<Vec<f32>> = rows.rows().map(<[f32]>::to_vec).collect();
    let matrices: Vec<_> = rows
        .iter()
        .map(|row| row.iter().map(|value| f64::from(*value)).collect())
        .map(|row| DenseMatrix::from_2d_vec(&vec![row]).unwrap())
        .collect();
    for (row, matrix) in rows.iter().zip(&matrices) {
        let class = model.row_votes(row).unwrap().class() as u32;
        assert_eq!(
            smartcore.predict(matrix).unwrap(),
            [class],
            "both forms must give the same class"
        );
    }
    BenchForest {
        model,
        smartcore,
        rows,
        matrices,
    }
}
