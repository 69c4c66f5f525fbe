//! Hyper-parameters of a forest.

/// Maximum number of leaves that fit one machine word, because QuickScorer keeps one bit per leaf.
pub const WORD_LEAVES: usize = 64;

/// Hyper-parameters of a forest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForestParams {
    /// Number of trees.
    pub trees: u16,
    /// Minimum number of rows in a leaf. Smaller leaves are overconfident.
    pub min_leaf: usize,
    /// Maximum depth of a tree.
    pub max_depth: u16,
    /// Number of features tried at each split; the square root of their number if absent.
    pub features_per_split: Option<usize>,
    /// Maximum number of leaves in a tree.
    pub max_leaves: usize,
    /// Set if `max_leaves` is enforced by [pruning](super::prune). Otherwise the forest is trained again
    /// with a larger `min_leaf` until every tree fits.
    pub prune: bool,
    /// Set if values are put into 64 [bins](super::binning) before training.
    pub binned: bool,
    /// Seed of the forest.
    pub seed: u64,
}

impl Default for ForestParams {
    fn default() -> Self {
        Self {
            trees: 100,
            min_leaf: 5,
            max_depth: 10,
            features_per_split: None,
            max_leaves: WORD_LEAVES,
            prune: false,
            binned: true,
            seed: 42,
        }
    }
}
