//! A random forest as plain trees: what a model file holds and what the compiled form is made of.
//!
//! A [`Forest`] can only be had valid: [`Forest::new`] checks every tree *as a tree*, so that no
//! later walk can leave it, loop in it, or run deeper than [`MAX_DEPTH`]. The walk here is the plain
//! reading of the trees; [`compile`](super::compile) must agree with it vote for vote.

use super::classifier::Votes;
use super::model_error::TreeError;
use crate::decision::Action;

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
mod tests {
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
    fn what_is_not_a_tree_is_refused() {
        let fault = |nodes: Vec<Node>| Forest::new(2, vec![nodes]).unwrap_err();
        assert!(matches!(
            fault(vec![]),
            TreeError::NodeCount { nodes: 0, .. }
        ));
        assert!(matches!(
            fault(vec![split(0, 1), LEAF]),
            TreeError::Cycle { child: 0, .. }
        ));
        assert!(matches!(
            fault(vec![split(1, 2), split(0, 2), LEAF]),
            TreeError::Cycle { node: 1, .. }
        ));
        assert!(matches!(
            fault(vec![split(1, 9), LEAF]),
            TreeError::DanglingChild { child: 9, .. }
        ));
        assert!(matches!(
            fault(vec![split(1, 1), LEAF]),
            TreeError::SharedChild { child: 1, .. }
        ));
        assert!(matches!(
            fault(vec![LEAF, LEAF]),
            TreeError::Unreachable { node: 1, .. }
        ));
        assert!(matches!(
            fault(vec![Node::Leaf { class: 3, cover: 0 }]),
            TreeError::Class { class: 3, .. }
        ));
        let feature = Node::Split {
            feature: 2,
            threshold: 0.0,
            below: 1,
            above: 2,
        };
        assert!(matches!(
            fault(vec![feature, LEAF, LEAF]),
            TreeError::Feature { feature: 2, .. }
        ));
        let nan = Node::Split {
            feature: 0,
            threshold: f32::NAN,
            below: 1,
            above: 2,
        };
        assert!(matches!(
            fault(vec![nan, LEAF, LEAF]),
            TreeError::Threshold { .. }
        ));
        let chain: Vec<Node> = (0..MAX_DEPTH as u32)
            .flat_map(|i| [split(2 * i + 1, 2 * i + 2), LEAF])
            .chain([LEAF])
            .collect();
        let mut chain = chain;
        for (i, node) in chain.iter_mut().enumerate() {
            // Each split's second child is the next split.
            if let Node::Split { below, above, .. } = node {
                *below = i as u32 + 1;
                *above = i as u32 + 2;
            }
        }
        assert!(matches!(fault(chain), TreeError::TooDeep { .. }));
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
    fn rounding_down_keeps_every_decision() {
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
}

/// Random trees for tests.
#[cfg(all(test, feature = "train"))]
pub(crate) mod testing {
    #![allow(clippy::cast_possible_truncation)]

    use super::{Node, Tree};
    use crate::training::rng::Rng;

    /// A tree with this many leaves, grown by splitting a random one.
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
}
