//! Tests of tree validation and of the rounding of thresholds.

#![allow(clippy::cast_possible_truncation)]

use super::*;

const LEAF: Node = Node::Leaf { class: 1, cover: 1 };

fn split(below: u32, above: u32) -> Node {
    Node::Split {
        feature: 0,
        threshold: 0.5,
        below,
        above,
    }
}

#[test]
fn invalid_trees_are_rejected_with_their_error() {
    let error = |nodes: Vec<Node>| Forest::new(2, vec![nodes]).unwrap_err();
    assert!(matches!(
        error(vec![]),
        TreeError::NodeCount { nodes: 0, .. }
    ));
    assert!(matches!(
        error(vec![split(0, 1), LEAF]),
        TreeError::Cycle { child: 0, .. }
    ));
    assert!(matches!(
        error(vec![split(1, 2), split(0, 2), LEAF]),
        TreeError::Cycle { node: 1, .. }
    ));
    assert!(matches!(
        error(vec![split(1, 9), LEAF]),
        TreeError::DanglingChild { child: 9, .. }
    ));
    assert!(matches!(
        error(vec![split(1, 1), LEAF]),
        TreeError::SharedChild { child: 1, .. }
    ));
    assert!(matches!(
        error(vec![LEAF, LEAF]),
        TreeError::Unreachable { node: 1, .. }
    ));
    assert!(matches!(
        error(vec![Node::Leaf { class: 3, cover: 0 }]),
        TreeError::Class { class: 3, .. }
    ));
    let feature = Node::Split {
        feature: 2,
        threshold: 0.0,
        below: 1,
        above: 2,
    };
    assert!(matches!(
        error(vec![feature, LEAF, LEAF]),
        TreeError::Feature { feature: 2, .. }
    ));
    let nan = Node::Split {
        feature: 0,
        threshold: f32::NAN,
        below: 1,
        above: 2,
    };
    assert!(matches!(
        error(vec![nan, LEAF, LEAF]),
        TreeError::Threshold { .. }
    ));
    let chain: Vec<Node> = (0..MAX_DEPTH as u32)
        .flat_map(|i| [split(2 * i + 1, 2 * i + 2), LEAF])
        .chain([LEAF])
        .collect();
    let mut chain = chain;
    for (i, node) in chain.iter_mut().enumerate() {
        // The `above` child of each split is the next split.
        if let Node::Split { below, above, .. } = node {
            *below = i as u32 + 1;
            *above = i as u32 + 2;
        }
    }
    assert!(matches!(error(chain), TreeError::TooDeep { .. }));
    assert!(matches!(
        Forest::new(2, vec![]),
        Err(TreeError::TreeCount { trees: 0 })
    ));
    assert!(matches!(
        Forest::new(0, vec![vec![LEAF]]),
        Err(TreeError::FeatureCount { .. })
    ));
}

#[test]
fn round_down_preserves_every_comparison() {
    for value in [
        0.1,
        -0.1,
        1e-60,
        -1e-60,
        0.0,
        -0.0,
        1e300,
        -1e300,
        16_777_217.0,
        f64::from(f32::MAX),
        f64::MIN_POSITIVE,
        f64::from(f32::MIN_POSITIVE) * 0.75,
    ] {
        let rounded = round_down(value);
        for x in [
            rounded,
            rounded.next_up(),
            rounded.next_down(),
            0.0,
            -0.0,
            f32::MAX,
            f32::MIN,
            f32::from_bits(1),
            -f32::from_bits(1),
        ] {
            if x.is_finite() {
                assert_eq!(f64::from(x) <= value, x <= rounded, "{x:e} <= {value:e}");
            }
        }
    }
}
