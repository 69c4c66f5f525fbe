//! A random forest as plain trees: what a model file holds and what the compiled form is made of.
//!
//! A [`Forest`] can only be had valid: [`Forest::new`] checks every tree *as a tree*, so that no
//! later walk can leave it, loop in it, or run deeper than [`MAX_DEPTH`]. The walk here is the plain
//! reading of the trees; [`inference`](super::inference) must agree with it vote for vote.

mod error;

pub use error::TreeError;

use super::classifier::Votes;
use crate::decision::Action;
#[cfg(test)]
use crate::rng::Rng;

/// Number of classes: one for each [`Action`].
pub const CLASSES: usize = Action::ALL.len();
/// Most features a forest can have.
pub const MAX_FEATURES: usize = 64;
/// Most trees in a forest.
pub const MAX_TREES: usize = 4096;
/// Most nodes in a tree.
pub const MAX_NODES: usize = 1 << 16;
/// Most nodes in all trees together.
pub const MAX_TOTAL_NODES: usize = 1 << 20;
/// Deepest leaf. Explanations walk recursively, so depth is bounded before anything walks.
pub const MAX_DEPTH: usize = 128;

/// One node. Children are indices into the tree's nodes; node 0 is the root.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Node {
    /// `row[feature] <= threshold` goes to `below`, anything else to `above`.
    Split {
        /// Index into the row.
        feature: u8,
        /// Rounded *down* from the source's f64, so that an f32 decides as it did there.
        threshold: f32,
        /// Where values up to the threshold go.
        below: u32,
        /// Where values above it go.
        above: u32,
    },
    /// The end: one vote.
    Leaf {
        /// The class voted for: an [`Action`]'s discriminant.
        class: u8,
        /// Training rows that ended here (with multiplicity): what explanations weigh by.
        cover: u32,
    },
}

/// One tree, its root first.
pub type Tree = Vec<Node>;

/// Trees that have been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    features: usize,
    trees: Vec<Tree>,
}

impl Forest {
    /// Checks that `trees` are trees over rows of `features` figures.
    ///
    /// # Errors
    /// The first fault found: see [`TreeError`].
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

    /// Figures in a row.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// The trees.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Nodes of all trees.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.trees.iter().map(Vec::len).sum()
    }

    /// Leaves of the tree that has most.
    #[must_use]
    pub fn most_leaves(&self) -> usize {
        self.trees
            .iter()
            .map(|tree| tree.len() / 2 + 1)
            .max()
            .unwrap_or(0)
    }

    /// The distinct thresholds of each feature, ascending (`-0.0` counts as `0.0`).
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
            column.dedup(); // by ==: -0.0 and 0.0 decide alike
        }
        all
    }

    /// Votes by walking every tree: slow and plain, the reference for the compiled form.
    ///
    /// # Panics
    /// If the row is shorter than [`Forest::features`].
    #[must_use]
    pub fn walk(&self, row: &[f32]) -> Votes {
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

/// Every node but the root has one parent that comes before it, and all can be reached.
fn check_tree(tree: usize, nodes: &[Node], features: usize) -> Result<(), TreeError> {
    if nodes.is_empty() || nodes.len() > MAX_NODES {
        return Err(TreeError::NodeCount {
            tree,
            nodes: nodes.len(),
        });
    }
    // Parents come before children, so one pass in order knows each node's depth; 0 = no parent yet.
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

/// The greatest f32 that is not above `value`: for every f32 `x`, `x <= value` as f64 is the same as
/// `x <= round_down(value)`.
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

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
