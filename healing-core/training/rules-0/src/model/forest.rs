//! A random forest as plain trees: the content of a model file and the source of the compiled layouts.
//!
//! A [`Forest`] is always valid: [`Forest::new`] validates the structure of every tree, so that no
//! later traversal can leave it, loop in it, or go deeper than [`MAX_DEPTH`]. [`Forest::traverse`] is
//! the reference; [`inference`](super::inference) must agree with it vote for vote.

mod error;

pub use error::TreeError;

use super::classifier::Votes;
use crate::decision::Action;

/// Number of classes: one per [`Action`].
pub const CLASSES: usize = Action::ALL.len();
/// Maximum number of features of a forest.
pub const MAX_FEATURES: usize = 64;
/// Maximum number of trees in a forest.
pub const MAX_TREES: usize = 4096;
/// Maximum number of nodes in a tree.
pub const MAX_NODES: usize = 1 << 16;
/// Maximum number of nodes in all trees together.
pub const MAX_TOTAL_NODES: usize = 1 << 20;
/// Maximum depth of a leaf. Explanations recurse, so the depth is bounded when a forest is made.
pub const MAX_DEPTH: usize = 128;

/// One node of a tree. Children are indices into the tree's nodes; node 0 is the root.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Node {
    /// A split: rows with `row[feature] <= threshold` go to `below`, all others to `above`.
    Split {
        /// Index of the feature in the row.
        feature: u8,
        /// Threshold, rounded *down* from the learner's f64 (see [`round_down`]), so that an f32 value
        /// goes the same way as in the learner.
        threshold: f32,
        /// Child for values up to the threshold.
        below: u32,
        /// Child for values above it.
        above: u32,
    },
    /// A leaf: one vote.
    Leaf {
        /// Class voted for: an [`Action`]'s discriminant.
        class: u8,
        /// Number of training rows that ended here, duplicates included. Explanations weigh by it.
        cover: u32,
    },
}

/// One tree, root first.
pub type Tree = Vec<Node>;

/// A validated set of trees.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    features: usize,
    trees: Vec<Tree>,
}

impl Forest {
    /// Validates `trees` as trees over rows of `features` values.
    ///
    /// # Errors
    ///
    /// The first error found: see [`TreeError`].
    pub fn new(features: usize, trees: Vec<Tree>) -> Result<Self, TreeError> {
        if features == 0 || features > MAX_FEATURES {
            return Err(TreeError::FeatureCount { features });
        }
        if trees.is_empty() || trees.len() > MAX_TREES {
            return Err(TreeError::TreeCount { trees: trees.len() });
        }
        let nodes: usize = trees.iter().map(Vec::len).sum();
        if nodes > MAX_TOTAL_NODES {
            return Err(TreeError::TotalNodes { nodes });
        }
        for (index, tree) in trees.iter().enumerate() {
            check_tree(index, tree, features)?;
        }
        Ok(Self { features, trees })
    }

    /// Returns the number of features: the values of a row.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// Returns the trees.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Returns the number of nodes of all trees.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.trees.iter().map(Vec::len).sum()
    }

    /// Returns the number of leaves of the largest tree.
    #[must_use]
    pub fn most_leaves(&self) -> usize {
        self.trees
            .iter()
            .map(|tree| tree.len() / 2 + 1)
            .max()
            .unwrap_or(0)
    }

    /// Returns the distinct thresholds of each feature, ascending (`-0.0` counts as `0.0`).
    #[must_use]
    pub fn thresholds(&self) -> Vec<Vec<f32>> {
        let mut all = vec![Vec::new(); self.features];
        for node in self.trees.iter().flatten() {
            if let Node::Split {
                feature, threshold, ..
            } = *node
            {
                all[usize::from(feature)].push(threshold);
            }
        }
        for column in &mut all {
            column.sort_by(f32::total_cmp);
            column.dedup(); // by ==: -0.0 and 0.0 split alike
        }
        all
    }

    /// Returns the votes for a row by traversing every tree: the slow reference for the compiled layouts.
    ///
    /// # Panics
    ///
    /// If the row is shorter than [`Forest::features`].
    #[must_use]
    pub fn traverse(&self, row: &[f32]) -> Votes {
        let mut votes = Votes::default();
        for tree in &self.trees {
            let mut at = 0;
            loop {
                match tree[at] {
                    Node::Split {
                        feature,
                        threshold,
                        below,
                        above,
                    } => {
                        let next = if row[usize::from(feature)] <= threshold {
                            below
                        } else {
                            above
                        };
                        at = next as usize;
                    }
                    Node::Leaf { class, .. } => {
                        votes.0[usize::from(class)] += 1;
                        break;
                    }
                }
            }
        }
        votes
    }
}

/// Checks that every node except the root has exactly one parent, which comes before it.
fn check_tree(tree: usize, nodes: &[Node], features: usize) -> Result<(), TreeError> {
    if nodes.is_empty() || nodes.len() > MAX_NODES {
        return Err(TreeError::NodeCount {
            tree,
            nodes: nodes.len(),
        });
    }
    // Parents come before children, so one pass finds the depth of each node; 0 = no parent found.
    let mut depth = vec![0_usize; nodes.len()];
    depth[0] = 1;
    for (at, node) in nodes.iter().enumerate() {
        if depth[at] == 0 {
            return Err(TreeError::Unreachable { tree, node: at });
        }
        match *node {
            Node::Leaf { class, .. } => {
                if usize::from(class) >= CLASSES {
                    return Err(TreeError::Class {
                        tree,
                        node: at,
                        class,
                    });
                }
            }
            Node::Split {
                feature,
                threshold,
                below,
                above,
            } => {
                if usize::from(feature) >= features {
                    return Err(TreeError::Feature {
                        tree,
                        node: at,
                        feature,
                        features,
                    });
                }
                if threshold.is_nan() {
                    return Err(TreeError::Threshold { tree, node: at });
                }
                for child in [below as usize, above as usize] {
                    if child >= nodes.len() {
                        return Err(TreeError::DanglingChild {
                            tree,
                            node: at,
                            child,
                        });
                    }
                    if child <= at {
                        return Err(TreeError::Cycle {
                            tree,
                            node: at,
                            child,
                        });
                    }
                    if depth[child] != 0 {
                        return Err(TreeError::SharedChild {
                            tree,
                            node: at,
                            child,
                        });
                    }
                    depth[child] = depth[at] + 1;
                    if depth[child] > MAX_DEPTH {
                        return Err(TreeError::TooDeep { tree, node: child });
                    }
                }
            }
        }
    }
    Ok(())
}

/// Returns the greatest f32 that is not above `value`.
///
/// For every f32 `x`, `x <= value` in f64 is equivalent to `x <= round_down(value)`.
#[must_use]
pub fn round_down(value: f64) -> f32 {
    #[allow(clippy::cast_possible_truncation)] // rounds to nearest; corrected below
    let nearest = value as f32;
    if f64::from(nearest) > value {
        nearest.next_down()
    } else {
        nearest
    }
}
