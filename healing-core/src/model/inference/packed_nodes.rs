//! Packed nodes, eight bytes each, for forests that do not fit the QuickScorer tables.
//!
//! Sixteen trees are traversed in parallel without a branch, so that the processor follows sixteen chains
//! of loads at once and does not wait for a single one. A leaf links to itself, so that all sixteen trees
//! can be traversed to the depth of the deepest tree.

use crate::model::Votes;
use crate::model::forest::{CLASSES, Forest, MAX_FEATURES, Node, Tree};

/// Number of trees that are traversed in parallel.
const GROUP: usize = 16;

const FEATURE_BITS: u32 = 6;
const CLASS_BITS: u32 = 2;
const FEATURE_MASK: u32 = (1 << FEATURE_BITS) - 1;
const CLASS_MASK: u32 = (1 << CLASS_BITS) - 1;
const CHILD_SHIFT: u32 = FEATURE_BITS + CLASS_BITS;

/// Class of the leaf that pads an unfilled group; its votes are dropped.
const PADDING_CLASS: u32 = 3;

/// One node.
///
/// A split holds its threshold and links to the child for values up to it. The other child is the next
/// node. A leaf links to itself, because its threshold is infinity and no value is above that.
#[derive(Debug, Clone, Copy)]
struct PackedNode {
    threshold: f32,
    /// Child (24 bits), class (2 bits), feature (6 bits).
    link: u32,
}

/// Nodes of all trees.
#[derive(Debug)]
pub(super) struct PackedNodes {
    nodes: Vec<PackedNode>,
    groups: Vec<Group>,
    features: usize,
}

/// Trees that are traversed in parallel.
#[derive(Debug)]
struct Group {
    roots: [u32; GROUP],
    /// Depth of the deepest tree.
    depth: u32,
}

impl PackedNodes {
    /// Packs the forest's nodes.
    pub(super) fn new(forest: &Forest) -> Self {
        // Node 0 is the padding leaf, the root of the missing trees of an unfilled group.
        let mut nodes = vec![leaf(0, PADDING_CLASS)];
        let groups = forest
            .trees()
            .chunks(GROUP)
            .map(|trees| {
                let mut group = Group {
                    roots: [0; GROUP],
                    depth: 0,
                };
                for (root, tree) in group.roots.iter_mut().zip(trees) {
                    let depth;
                    (*root, depth) = append(&mut nodes, tree);
                    group.depth = group.depth.max(depth);
                }
                group
            })
            .collect();
        Self {
            nodes,
            groups,
            features: forest.features(),
        }
    }

    /// Returns the size of nodes and groups, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.groups)
    }

    /// Returns the votes for a row. Panics if the row has fewer values than the forest has features.
    pub(super) fn votes(&self, row: &[f32]) -> Votes {
        // A fixed array with a masked index needs no bounds check.
        let mut values = [0.0; MAX_FEATURES];
        values[..self.features].copy_from_slice(&row[..self.features]);
        let mut votes = [0; CLASSES + 1];
        for group in &self.groups {
            let mut at = group.roots;
            for _ in 0..group.depth {
                for at in &mut at {
                    let PackedNode { threshold, link } = self.nodes[*at as usize];
                    let above = values[(link & FEATURE_MASK) as usize] > threshold;
                    *at = (link >> CHILD_SHIFT) + u32::from(above);
                }
            }
            for at in at {
                let class = self.nodes[at as usize].link >> FEATURE_BITS & CLASS_MASK;
                votes[class as usize] += 1;
            }
        }
        let [none, soft, hard, _] = votes;
        Votes([none, soft, hard])
    }
}

/// Returns a leaf at index `at`, linked to itself.
fn leaf(at: u32, class: u32) -> PackedNode {
    PackedNode {
        threshold: f32::INFINITY,
        link: at << CHILD_SHIFT | class << FEATURE_BITS,
    }
}

/// Appends a tree and returns its root and depth.
///
/// The order is breadth first, so that the nodes that most rows pass share cache lines.
fn append(nodes: &mut Vec<PackedNode>, tree: &Tree) -> (u32, u32) {
    // There are at most 2^20 nodes and the padding leaf, so indices fit 24 bits.
    #[allow(clippy::cast_possible_truncation)]
    let next = |nodes: &Vec<PackedNode>| nodes.len() as u32;
    let root = next(nodes);
    nodes.push(leaf(root, 0));
    let mut level = vec![(root, 0_usize)];
    let mut depth = 0;
    loop {
        let mut next_level = Vec::new();
        for (at, node) in level {
            nodes[at as usize] = match tree[node] {
                Node::Leaf { class, .. } => leaf(at, class.into()),
                Node::Split {
                    feature,
                    threshold,
                    below,
                    above,
                } => {
                    let child = next(nodes);
                    nodes.extend([leaf(child, 0), leaf(child + 1, 0)]);
                    next_level.extend([(child, below as usize), (child + 1, above as usize)]);
                    PackedNode {
                        threshold,
                        link: child << CHILD_SHIFT | u32::from(feature),
                    }
                }
            };
        }
        if next_level.is_empty() {
            return (root, depth);
        }
        level = next_level;
        depth += 1;
    }
}
