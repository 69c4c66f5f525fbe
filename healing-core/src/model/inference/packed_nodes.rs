//! Compact nodes, eight bytes each, for forests that words cannot stand for.
//!
//! Sixteen trees are descended side by side without a branch: the processor works on sixteen chains
//! of loads at once instead of waiting for one. A leaf leads to itself, so that all sixteen may be
//! descended as deep as the deepest of them.

use crate::model::Votes;
use crate::model::forest::{CLASSES, Forest, MAX_FEATURES, Node, Tree};

/// Trees descended side by side.
const GROUP: usize = 16;

const FEATURE_BITS: u32 = 6;
const CLASS_BITS: u32 = 2;
const FEATURE_MASK: u32 = (1 << FEATURE_BITS) - 1;
const CLASS_MASK: u32 = (1 << CLASS_BITS) - 1;
const CHILD_SHIFT: u32 = FEATURE_BITS + CLASS_BITS;

/// Class of the padding in an unfilled group.
const NOBODY: u32 = 3;

/// A split: `threshold`, and the child for values up to it; the other follows that child.
/// A leaf: no value is above infinity, so it leads to itself.
#[derive(Debug, Clone, Copy)]
struct Compact {
    threshold: f32,
    /// Child (24 bits), class (2), feature (6).
    link: u32,
}

/// All nodes of all trees.
#[derive(Debug)]
pub(super) struct CompactNodes {
    nodes: Vec<Compact>,
    groups: Vec<Group>,
    features: usize,
}

#[derive(Debug)]
struct Group {
    roots: [u32; GROUP],
    depth: u32,
}

impl CompactNodes {
    pub(super) fn new(forest: &Forest) -> Self {
        // Node 0 is nobody's leaf: the root of trees that are not there.
        let mut nodes = vec![leaf(0, NOBODY)];
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

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.groups)
    }

    pub(super) fn votes(&self, row: &[f32]) -> Votes {
        // A fixed array and a masked index need no bounds check.
        let mut figures = [0.0; MAX_FEATURES];
        figures[..self.features].copy_from_slice(&row[..self.features]);
        let mut votes = [0; CLASSES + 1];
        for group in &self.groups {
            let mut at = group.roots;
            for _ in 0..group.depth {
                for at in &mut at {
                    let Compact { threshold, link } = self.nodes[*at as usize];
                    let above = figures[(link & FEATURE_MASK) as usize] > threshold;
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

fn leaf(at: u32, class: u32) -> Compact {
    Compact {
        threshold: f32::INFINITY,
        link: at << CHILD_SHIFT | class << FEATURE_BITS,
    }
}

/// Appends a tree, breadth first, so that what most rows pass lies together. Returns root and depth.
fn append(nodes: &mut Vec<Compact>, tree: &Tree) -> (u32, u32) {
    // At most 2^20 nodes and one: indices fit 24 bits.
    #[allow(clippy::cast_possible_truncation)]
    let next = |nodes: &Vec<Compact>| nodes.len() as u32;
    let root = next(nodes);
    nodes.push(leaf(root, 0));
    let mut level = vec![(root, 0_usize)];
    let mut depth = 0;
    loop {
        let mut below_level = Vec::new();
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
                    below_level.extend([(child, below as usize), (child + 1, above as usize)]);
                    Compact {
                        threshold,
                        link: child << CHILD_SHIFT | u32::from(feature),
                    }
                }
            };
        }
        if below_level.is_empty() {
            return (root, depth);
        }
        level = below_level;
        depth += 1;
    }
}
