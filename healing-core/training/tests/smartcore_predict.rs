//! Comparison of the compiled forest with smartcore's own `predict`, on random forests with extreme
//! thresholds and for every built-in model.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss
)]

#[path = "../../src/model/forest/testing.rs"]
mod testing;

use healing_core::model::builtin;
use healing_core::model::forest::{Forest, Node, Tree, round_down};
use healing_core::model::inference::Compiled;
use healing_core::rng::Rng;
use healing_training::smartcore_trees::{
    SmartcoreForest, from_foreign, to_smartcore, to_smartcore_with,
};
use smartcore::linalg::basic::matrix::DenseMatrix;
use testing::random_tree;

/// Thresholds as a foreign f64 forest may have them.
const THRESHOLDS: [f64; 16] = [
    0.0,
    -0.0,
    1e-310,
    -1e-310,
    1e-45,
    -1e-45,
    1e-40,
    0.1,
    1.0 / 3.0,
    -0.1,
    16_777_217.0,
    5.0,
    1e38,
    -1e38,
    1e300,
    -1e300,
];

/// Returns a threshold from the list, or any other threshold.
fn threshold(rng: &mut Rng) -> f32 {
    if rng.below(2) == 0 {
        round_down(THRESHOLDS[rng.index(THRESHOLDS.len())])
    } else {
        ((rng.normal() * 80.0).round() / 8.0) as f32
    }
}

/// Returns an f64 that rounds down to `own`, as the source of the forest may have had it.
fn source_threshold(own: f32, seed: u64) -> f64 {
    let (low, high) = (f64::from(own), f64::from(own.next_up()));
    let share = [0.0, 0.5, 0.999][Rng::new(seed).index(3)];
    let value = match (low.is_finite(), high.is_finite()) {
        (true, true) => low + (high - low) * share,
        (true, false) => 1e300,
        (false, _) => -1e300,
    };
    assert_eq!(round_down(value), own);
    value
}

/// Returns a finite value at or next to a threshold of the list, or any other f32.
fn value(rng: &mut Rng) -> f32 {
    let near = round_down(THRESHOLDS[rng.index(THRESHOLDS.len())]);
    let value = match rng.below(6) {
        0 => near,
        1 => near.next_up(),
        2 => near.next_down(),
        3 => f32::from_bits(rng.bits() as u32),
        4 => (rng.normal() * 80.0).round() as f32 / 8.0,
        _ => [0.0, -0.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45][rng.index(6)],
    };
    if value.is_finite() { value } else { 0.0 }
}

/// Returns smartcore's class of one row.
fn smartcore_class(forest: &SmartcoreForest, row: &[f32]) -> u32 {
    let wide: Vec<f64> = row.iter().map(|value| f64::from(*value)).collect();
    let wide = DenseMatrix::from_2d_vec(&vec![wide]).unwrap();
    forest.predict(&wide).unwrap()[0]
}

#[test]
fn compiled_class_equals_smartcore_predict_on_random_forests() {
    let mut rng = Rng::new(3);
    let (mut bitvectors, mut nodes) = (0, 0);
    for round in 0..120 {
        let features = 1 + rng.index(20);
        // Some forests fit QuickScorer's bit vectors, some have too many leaves.
        let most = if round % 3 == 0 { 150 } else { 64 };
        let trees: Vec<Tree> = (0..1 + rng.index(60))
            .map(|_| {
                let leaves = 1 + rng.index(most);
                random_tree(&mut rng, features, leaves, threshold)
            })
            .collect();
        let Ok(forest) = Forest::new(features, trees) else {
            continue; // too deep
        };
        let foreign = to_smartcore_with(&forest, &[0, 1, 2], |tree, node, own| {
            source_threshold(own, (tree * 1000 + node) as u64)
        })
        .unwrap();
        assert_eq!(from_foreign(&foreign).unwrap(), forest);
        let backends = Compiled::all_backends(&forest);
        if backends[0].is_bitvector() {
            bitvectors += 1;
        } else {
            nodes += 1;
        }
        for _ in 0..100 {
            let row: Vec<f32> = (0..features).map(|_| value(&mut rng)).collect();
            let expected = smartcore_class(&foreign, &row);
            for backend in &backends {
                let class = backend.votes(&row).class() as u32;
                assert_eq!(class, expected, "{} bits, row {row:?}", backend.simd_bits());
            }
        }
    }
    assert!(
        bitvectors > 30 && nodes > 10,
        "{bitvectors} bit vectors, {nodes} nodes"
    );
}

#[test]
fn compiled_class_equals_smartcore_predict_for_every_builtin_model() {
    for (name, bytes) in builtin::ALL {
        let model = healing_core::model::Model::from_bytes(bytes).unwrap();
        let forest = model.forest();
        let foreign = to_smartcore(forest).unwrap();
        let thresholds: Vec<(usize, f32)> = forest
            .trees()
            .iter()
            .flatten()
            .filter_map(|node| match *node {
                Node::Split {
                    feature, threshold, ..
                } => Some((feature.into(), threshold)),
                Node::Leaf { .. } => None,
            })
            .collect();
        let mut rng = Rng::new(7);
        for _ in 0..2000 {
            // Values at and directly next to thresholds of the model's own features.
            let mut row = vec![0.0; forest.features()];
            for _ in 0..4 * row.len() {
                let (feature, threshold) = thresholds[rng.index(thresholds.len())];
                row[feature] =
                    [threshold, threshold.next_up(), threshold.next_down()][rng.index(3)];
            }
            let expected = smartcore_class(&foreign, &row);
            for backend in Compiled::all_backends(forest) {
                let class = backend.votes(&row).class() as u32;
                assert_eq!(class, expected, "{name}: row {row:?}");
            }
        }
    }
}
