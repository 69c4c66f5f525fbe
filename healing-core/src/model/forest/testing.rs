//! Random trees for tests.

#![allow(clippy::cast_possible_truncation)]

use super::{Node, Rng, Tree};

/// Returns a tree with this many leaves, grown by splitting random leaves.
pub(crate) fn random_tree(
    rng: &mut Rng,
    features: usize,
    leaves: usize,
    mut threshold: impl FnMut(&mut Rng) -> f32,
) -> Tree {
    let leaf = |rng: &mut Rng| Node::Leaf {
        class: rng.below(3) as u8,
        cover: rng.below(30),
    };
    let mut nodes = vec![leaf(rng)];
    let mut ends = vec![0];
    while ends.len() < leaves {
        let at = ends.swap_remove(rng.index(ends.len()));
        let child = nodes.len() as u32;
        nodes[at] = Node::Split {
            feature: rng.index(features) as u8,
            threshold: threshold(rng),
            below: child,
            above: child + 1,
        };
        for _ in 0..2 {
            ends.push(nodes.len());
            nodes.push(leaf(rng));
        }
    }
    nodes
}
