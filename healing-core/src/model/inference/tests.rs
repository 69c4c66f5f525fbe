//! Comparison of every backend of both layouts with the reference traversal.
//!
//! `healing-training` has the comparison with smartcore's own `predict`.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

use super::*;
use crate::model::forest::testing::random_tree;
use crate::model::forest::{Node, Tree, round_down};
use crate::rng::Rng;

/// f64 thresholds near and beyond the limits of f32.
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

#[test]
fn votes_equal_reference_traversal_on_every_backend() {
    let mut rng = Rng::new(3);
    let (mut bitvectors, mut nodes) = (0, 0);
    for round in 0..120 {
        let features = 1 + rng.index(20);
        // Some forests fit QuickScorer's bit vectors, some have too many leaves.
        let most = if round % 3 == 0 { 150 } else { 64 };
        let trees = (0..1 + rng.index(60))
            .map(|_| {
                let leaves = 1 + rng.index(most);
                random_tree(&mut rng, features, leaves, threshold)
            })
            .collect();
        let Ok(forest) = Forest::new(features, trees) else {
            continue; // too deep
        };
        let backends = Compiled::all_backends(&forest);
        match backends[0].layout {
            Layout::QuickScorer(_) => bitvectors += 1,
            Layout::PackedNodes(_) => nodes += 1,
        }
        let packed_nodes = PackedNodes::new(&forest);
        for _ in 0..100 {
            let row: Vec<f32> = (0..features).map(|_| value(&mut rng)).collect();
            let expected = forest.traverse(&row);
            for backend in &backends {
                assert_eq!(
                    backend.votes(&row),
                    expected,
                    "{} bits, row {row:?}",
                    backend.simd_bits()
                );
            }
            assert_eq!(packed_nodes.votes(&row), expected, "nodes, row {row:?}");
        }
    }
    assert!(
        bitvectors > 30 && nodes > 10,
        "{bitvectors} bit vectors, {nodes} nodes"
    );
}

#[test]
fn forest_above_table_limit_compiles_to_packed_nodes() {
    // At most 64 leaves per tree, but 20 features with about 3000 thresholds each.
    let mut rng = Rng::new(4);
    let unit = |rng: &mut Rng| rng.unit() as f32;
    let trees = (0..1000)
        .map(|_| random_tree(&mut rng, 20, 64, unit))
        .collect();
    let compiled = Compiled::new(&Forest::new(20, trees).unwrap());
    assert!(!compiled.is_bitvector());
    assert!(
        compiled.bytes() <= MAX_TABLE_BYTES,
        "{} bytes",
        compiled.bytes()
    );
}

#[test]
fn smallest_and_largest_forests_vote_by_their_leaves() {
    let leaf = |class| vec![Node::Leaf { class, cover: 1 }];
    for trees in [1, 7, 8, 9, 4096] {
        let forest = Forest::new(64, vec![leaf(2); trees]).unwrap();
        for backend in Compiled::all_backends(&forest) {
            assert_eq!(backend.votes(&[0.0; 64]).0, [0, 0, trees as u32]);
        }
    }
    // A degenerate tree of 64 leaves, which uses bit 63.
    let mut tree = Tree::new();
    for at in 0..63_u32 {
        tree.push(Node::Split {
            feature: 0,
            threshold: at as f32,
            below: 2 * at + 1,
            above: 2 * at + 2,
        });
        tree.push(Node::Leaf {
            class: (at % 3) as u8,
            cover: 1,
        });
    }
    tree.push(Node::Leaf { class: 1, cover: 1 });
    let forest = Forest::new(1, vec![tree]).unwrap();
    let compiled = Compiled::new(&forest);
    assert!(compiled.is_bitvector());
    for value in -1..70_i16 {
        assert_eq!(
            compiled.votes(&[value.into()]),
            forest.traverse(&[value.into()]),
            "{value}"
        );
    }
}
