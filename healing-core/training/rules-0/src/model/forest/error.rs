//! Errors in the structure of a forest.

use super::{CLASSES, MAX_DEPTH, MAX_FEATURES, MAX_NODES, MAX_TOTAL_NODES, MAX_TREES};

/// An error in the structure of a forest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// Too few or too many features.
    #[error("{features} features: a forest has 1 to {MAX_FEATURES}")]
    FeatureCount {
        /// Number of features.
        features: usize,
    },
    /// Too few or too many trees.
    #[error("{trees} trees: a forest has 1 to {MAX_TREES}")]
    TreeCount {
        /// Number of trees.
        trees: usize,
    },
    /// Too few or too many nodes in one tree.
    #[error("tree {tree} has {nodes} nodes: a tree has 1 to {MAX_NODES}")]
    NodeCount {
        /// Index of the tree.
        tree: usize,
        /// Number of its nodes.
        nodes: usize,
    },
    /// Too many nodes in all trees together.
    #[error("{nodes} nodes in all trees: at most {MAX_TOTAL_NODES}")]
    TotalNodes {
        /// Number of nodes.
        nodes: usize,
    },
    /// A child index beyond the end of the tree.
    #[error("tree {tree}, node {node}: its child {child} does not exist")]
    DanglingChild {
        /// Index of the tree.
        tree: usize,
        /// Index of the node.
        node: usize,
        /// Index of the child.
        child: usize,
    },
    /// A child that does not come after its parent.
    #[error(
        "tree {tree}, node {node}: its child {child} does not come after it, which makes a cycle"
    )]
    Cycle {
        /// Index of the tree.
        tree: usize,
        /// Index of the node.
        node: usize,
        /// Index of the child.
        child: usize,
    },
    /// A child with two parents.
    #[error("tree {tree}, node {node}: its child {child} already has another parent")]
    SharedChild {
        /// Index of the tree.
        tree: usize,
        /// Index of the node.
        node: usize,
        /// Index of the child.
        child: usize,
    },
    /// A node without a parent that is not the root.
    #[error("tree {tree}, node {node} cannot be reached from the root")]
    Unreachable {
        /// Index of the tree.
        tree: usize,
        /// Index of the node.
        node: usize,
    },
    /// A node below the maximum depth.
    #[error("tree {tree}, node {node} is deeper than {MAX_DEPTH}")]
    TooDeep {
        /// Index of the tree.
        tree: usize,
        /// Index of the node.
        node: usize,
    },
    /// A split by a feature that the row does not have.
    #[error("tree {tree}, node {node} splits by feature {feature}, but rows have {features}")]
    Feature {
        /// Index of the tree.
        tree: usize,
        /// Index of the node.
        node: usize,
        /// Index of the feature.
        feature: u8,
        /// Number of features in a row.
        features: usize,
    },
    /// A threshold that is NaN.
    #[error("tree {tree}, node {node}: its threshold is not a number")]
    Threshold {
        /// Index of the tree.
        tree: usize,
        /// Index of the node.
        node: usize,
    },
    /// A class that is no action.
    #[error("tree {tree}, node {node} votes for class {class}, but there are {CLASSES} classes")]
    Class {
        /// Index of the tree.
        tree: usize,
        /// Index of the node.
        node: usize,
        /// The class.
        class: u8,
    },
}
