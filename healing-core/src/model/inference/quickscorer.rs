//! QuickScorer (Lucchese et al. 2015): one 64-bit bit vector per tree.
//!
//! A tree's leaves are numbered from left (values up to a threshold) to right. For each feature, the
//! *rank* of the sample's value (the number of the feature's thresholds below it) selects a table row of
//! one bit vector per tree. Its set bits are the leaves that this feature alone does not rule out. The
//! bit vectors of all features are ANDed; the lowest set bit is the tree's exit leaf. The tree votes
//! for class 1 or 2 if that bit is also set in the mask of the leaves of that class. No tree is
//! traversed, there are no branches, and AVX-512 evaluates eight trees per vector.

use pulp::{Simd, WithSimd};

use super::simd::{CacheLine, VoteKernel, WORDS_PER_LINE, rank};
use crate::model::Votes;
use crate::model::forest::{CLASSES, Forest, MAX_FEATURES, Node, Tree};

/// Maximum number of leaves per tree: one bit each.
const MAX_LEAVES: usize = 64;

/// Number of lanes of the widest vector. The number of thresholds of a feature is padded to a multiple
/// of it.
const THRESHOLD_LANES: usize = 16;

/// The QuickScorer tables of a forest.
#[derive(Debug)]
pub(super) struct QuickScorer {
    features: Vec<FeatureTable>,
    /// Thresholds of all features, each padded with infinity, which never
    /// compares below a value.
    thresholds: Vec<f32>,
    /// All table rows: the masks of the leaves that vote for class 1 and for class 2, then the rows of
    /// the features. Trees are padded to whole cache lines; the padding votes for neither class.
    lines: Vec<CacheLine>,
    /// Cache lines per table row.
    stride: usize,
    trees: u32,
}

/// Position of one feature's thresholds and rows.
#[derive(Debug, Clone, Copy)]
struct FeatureTable {
    /// Index of the first threshold.
    first_threshold: usize,
    /// Number of thresholds, padding included.
    padded: usize,
    /// First cache line of the row for rank 0.
    first_line: usize,
}

impl QuickScorer {
    /// Returns the size of the tables, in bytes; `None` if a tree has too many leaves.
    pub(super) fn bytes_for(forest: &Forest) -> Option<usize> {
        let thresholds = forest.thresholds();
        let rows = 2 + thresholds
            .iter()
            .map(|of_feature| of_feature.len() + 1)
            .sum::<usize>();
        let stride = forest.trees().len().div_ceil(WORDS_PER_LINE);
        (forest.most_leaves() <= MAX_LEAVES).then(|| rows * stride * size_of::<CacheLine>())
    }

    /// Builds the tables.
    pub(super) fn new(forest: &Forest) -> Self {
        let thresholds = forest.thresholds();
        let stride = forest.trees().len().div_ceil(WORDS_PER_LINE);
        let mut tables = Self {
            features: Vec::with_capacity(thresholds.len()),
            thresholds: Vec::new(),
            lines: vec![CacheLine([0; WORDS_PER_LINE]); 2 * stride],
            stride,
            trees: u32::try_from(forest.trees().len()).unwrap_or(u32::MAX),
        };
        for of_feature in &thresholds {
            let first_threshold = tables.thresholds.len();
            let padded = of_feature.len().next_multiple_of(THRESHOLD_LANES);
            tables.thresholds.extend(of_feature);
            tables
                .thresholds
                .resize(first_threshold + padded, f32::INFINITY);
            let first_line = tables.lines.len();
            let end = first_line + (of_feature.len() + 1) * stride;
            tables
                .lines
                .resize(end, CacheLine([u64::MAX; WORDS_PER_LINE]));
            tables.features.push(FeatureTable {
                first_threshold,
                padded,
                first_line,
            });
        }
        for (index, tree) in forest.trees().iter().enumerate() {
            tables.insert_subtree(index, tree, 0, 0, &thresholds);
        }
        // A value above one threshold is above all lower ones, so each table row also rules out
        // the leaves that the row before it rules out.
        for (feature, of_feature) in tables.features.iter().zip(&thresholds) {
            let begin = feature.first_line;
            for at in begin + stride..begin + (of_feature.len() + 1) * stride {
                let CacheLine(lower) = tables.lines[at - stride];
                for (word, lower) in tables.lines[at].0.iter_mut().zip(lower) {
                    *word &= lower;
                }
            }
        }
        tables
    }

    /// Returns a tree's bit vector in the table row that starts at cache line `row`.
    fn word(&mut self, row: usize, tree: usize) -> &mut u64 {
        &mut self.lines[row + tree / WORDS_PER_LINE].0[tree % WORDS_PER_LINE]
    }

    /// Inserts the subtree at `node`, whose leftmost leaf has the number `leaf`, and returns the
    /// number of the leaf that follows it.
    fn insert_subtree(
        &mut self,
        index: usize,
        tree: &Tree,
        node: usize,
        leaf: u32,
        thresholds: &[Vec<f32>],
    ) -> u32 {
        match tree[node] {
            Node::Leaf { class, .. } => {
                if class > 0 {
                    *self.word((usize::from(class) - 1) * self.stride, index) |= 1 << leaf;
                }
                leaf + 1
            }
            Node::Split {
                feature,
                threshold,
                below,
                above,
            } => {
                let middle = self.insert_subtree(index, tree, below as usize, leaf, thresholds);
                let end = self.insert_subtree(index, tree, above as usize, middle, thresholds);
                // A value above the threshold rules out the leaves of the left side. The other case
                // needs no mask: the right side has higher bits, and the lowest set bit wins.
                let feature = usize::from(feature);
                let rank = thresholds[feature].partition_point(|other| *other < threshold) + 1;
                let row = self.features[feature].first_line + rank * self.stride;
                *self.word(row, index) &= !((u64::MAX >> (64 - (middle - leaf))) << leaf);
                end
            }
        }
    }

    /// Returns the size of tables and thresholds, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.lines) + size_of_val(&*self.thresholds)
    }

    /// Returns the votes for a sample. Panics if the sample has fewer values than the forest has features.
    #[inline]
    pub(super) fn votes(&self, arch: pulp::Arch, sample: &[f32]) -> Votes {
        let query = Query {
            tables: self,
            sample: &sample[..self.features.len()],
        };
        let [soft, hard] = match arch {
            pulp::Arch::Scalar => query.portable(),
            _ => arch.dispatch(query),
        };
        Votes([self.trees - soft - hard, soft, hard])
    }
}

/// Evaluation of one sample.
struct Query<'a> {
    tables: &'a QuickScorer,
    sample: &'a [f32],
}

impl Query<'_> {
    /// Counts the votes for classes 1 and 2, by the given rank function and vote kernel.
    #[inline(always)]
    fn count(
        &self,
        rank: impl Fn(&[f32], f32) -> usize,
        kernel: impl FnOnce(VoteKernel<'_>) -> [u32; CLASSES - 1],
    ) -> [u32; CLASSES - 1] {
        let Self { tables, sample } = self;
        let mut selected = [0; MAX_FEATURES];
        for ((selected, feature), value) in selected.iter_mut().zip(&tables.features).zip(*sample) {
            let thresholds = &tables.thresholds[feature.first_threshold..][..feature.padded];
            *selected = feature.first_line + rank(thresholds, *value) * tables.stride;
        }
        kernel(VoteKernel {
            lines: &tables.lines,
            selected: &selected[..sample.len()],
            stride: tables.stride,
        })
    }

    /// Counts the votes without run-time SIMD: the portable fallback.
    fn portable(&self) -> [u32; CLASSES - 1] {
        let rank = |thresholds: &[f32], value: f32| {
            thresholds.partition_point(|threshold| *threshold < value)
        };
        self.count(rank, |kernel| kernel.portable())
    }
}

impl WithSimd for Query<'_> {
    type Output = [u32; CLASSES - 1];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        self.count(
            #[inline(always)]
            |thresholds, value| rank(simd, thresholds, value),
            #[inline(always)]
            |kernel| kernel.with_simd(simd),
        )
    }
}
