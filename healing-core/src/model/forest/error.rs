//! Faults that keep nodes from being a forest of trees.

use super::{CLASSES, MAX_DEPTH, MAX_FEATURES, MAX_NODES, MAX_TOTAL_NODES, MAX_TREES};

/// Why nodes are not a forest of trees.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// Too few or too many features.
    #[error("{features} features: a forest has 1 to {MAX_FEATURES}")]
    FeatureCount {
        /// How many.
        features: usize,
    },
    /// Too few or too many trees.
    #[error("{trees} trees: a forest has 1 to {MAX_TREES}")]
    TreeCount {
        /// How many.
        trees: usize,
    },
    /// Too few or too many nodes in one tree.
    #[error("tree {tree} has {nodes} nodes: a tree has 1 to {MAX_NODES}")]
    NodeCount {
        /// Which tree.
        tree: usize,
        /// How many.
        nodes: usize,
    },
    /// Too many nodes together.
    #[error("{nodes} nodes in all trees: at most {MAX_TOTAL_NODES}")]
    TotalNodes {
        /// How many.
        nodes: usize,
    },
    /// A child beyond the tree's end.
    #[error("tree {tree}, node {node}: its child {child} does not exist")]
    DanglingChild {
        /// Which tree.
        tree: usize,
        /// Which node.
        node: usize,
        /// Its child.
        child: usize,
    },
    /// A child that is its own ancestor or comes before its parent.
    #[error(
        "tree {tree}, node {node}: its child {child} does not come after it, which makes a cycle"
    )]
    Cycle {
        /// Which tree.
        tree: usize,
        /// Which node.
        node: usize,
        /// Its child.
        child: usize,
    },
    /// A child with two parents.
    #[error("tree {tree}, node {node}: its child {child} has another parent already")]
    SharedChild {
        /// Which tree.
        tree: usize,
        /// Which node.
        node: usize,
        /// Its child.
        child: usize,
    },
    /// A node nobody leads to.
    #[error("tree {tree}, node {node} cannot be reached from the root")]
    Unreachable {
        /// Which tree.
        tree: usize,
        /// Which node.
        node: usize,
    },
    /// Too deep.
    #[error("tree {tree}, node {node} is deeper than {MAX_DEPTH}")]
    TooDeep {
        /// Which tree.
        tree: usize,
        /// Which node.
        node: usize,
    },
    /// A feature the row does not have.
    #[error("tree {tree}, node {node} asks for feature {feature}, rows have {features}")]
    Feature {
        /// Which tree.
        tree: usize,
        /// Which node.
        node: usize,
        /// The feature asked for.
        feature: u8,
        /// Features there are.
        features: usize,
    },
    /// A threshold that is no number.
    #[error("tree {tree}, node {node}: its threshold is not a number")]
    Threshold {
        /// Which tree.
        tree: usize,
        /// Which node.
        node: usize,
    },
    /// A class that is no action.
    #[error("tree {tree}, node {node} votes for class {class}, there are {CLASSES}")]
    Class {
        /// Which tree.
        tree: usize,
        /// Which node.
        node: usize,
        /// The class.
        class: u8,
    },
}
