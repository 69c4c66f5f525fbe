//! Every backend of both compiled forms against the plain walk.
//!
//! The comparison with smartcore's own `predict` is a test of `healing-training`.

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

/// A threshold from the list, or anywhere.
fn threshold(rng: &mut Rng) -> f32 {
    if rng.below(2) == 0 {
        round_down(THRESHOLDS[rng.index(THRESHOLDS.len())])
    } else {
        ((rng.normal() * 80.0).round() / 8.0) as f32
    }
}

/// A value at a threshold, beside it, or anywhere an f32 can be.
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
fn votes_equal_the_plain_walk_on_every_backend() {
    let mut rng = Rng::new(3);
    let (mut words, mut nodes) = (0, 0);
    for round in 0..120 {
        let features = 1 + rng.index(20);
        // Some forests fit words, some do not (too many leaves).
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
        let forms = Compiled::every_path(&forest);
        match forms[0].form {
            Form::Words(_) => words += 1,
            Form::Nodes(_) => nodes += 1,
        }
        let always_nodes = CompactNodes::new(&forest);
        for _ in 0..100 {
            let row: Vec<f32> = (0..features).map(|_| value(&mut rng)).collect();
            let walked = forest.walk(&row);
            for form in &forms {
                assert_eq!(
                    form.votes(&row),
                    walked,
                    "{} bits, row {row:?}",
                    form.simd_bits()
                );
            }
            assert_eq!(always_nodes.votes(&row), walked, "nodes, row {row:?}");
        }
    }
    assert!(
        words > 30 && nodes > 10,
        "{words} by words, {nodes} by nodes"
    );
}

#[test]
fn outgrown_tables_become_nodes() {
    // 64 leaves a tree, but thresholds without end: 20 features with 3000 each.
    let mut rng = Rng::new(4);
    let unit = |rng: &mut Rng| rng.unit() as f32;
    let trees = (0..1000)
        .map(|_| random_tree(&mut rng, 20, 64, unit))
        .collect();
    let compiled = Compiled::new(&Forest::new(20, trees).unwrap());
    assert!(!compiled.is_words());
    assert!(
        compiled.bytes() <= MAX_TABLE_BYTES,
        "{} bytes",
        compiled.bytes()
    );
}

#[test]
fn the_widest_and_the_narrowest_forests() {
    let leaf = |class| vec![Node::Leaf { class, cover: 1 }];
    for trees in [1, 7, 8, 9, 4096] {
        let forest = Forest::new(64, vec![leaf(2); trees]).unwrap();
        for form in Compiled::every_path(&forest) {
            assert_eq!(form.votes(&[0.0; 64]).0, [0, 0, trees as u32]);
        }
    }
    // 64 leaves in one line: bit 63 is reached.
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
    assert!(compiled.is_words());
    for value in -1..70_i16 {
        assert_eq!(
            compiled.votes(&[value.into()]),
            forest.walk(&[value.into()]),
            "{value}"
        );
    }
}
