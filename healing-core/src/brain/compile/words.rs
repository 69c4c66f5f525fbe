//! One 64-bit word a tree (the idea of QuickScorer, Lucchese et al. 2015).
//!
//! A tree's leaves are numbered from left (values up to a threshold) to right. For each feature the
//! *rank* of the row's value (how many of the feature's thresholds are below it) selects a table row:
//! one word a tree, whose bits are the leaves that this feature alone does not rule out. The words of
//! all features are ANDed; the lowest bit left is the leaf that the tree's walk ends in. Whether that
//! bit lies in the words of the leaves that vote for class 1 or 2 is the tree's vote: no walk, no
//! branch, and eight trees a vector with AVX-512.

use pulp::{Simd, WithSimd};

use crate::brain::Votes;
use crate::brain::forest::{CLASSES, Forest, MAX_FEATURES, Node, Tree};

/// Words of a cache line, and of the widest vector.
const LINE: usize = 8;
/// Lanes that thresholds are padded to.
const LANES: usize = 16;

/// The tables.
#[derive(Debug)]
pub(super) struct WordTables {
    /// Per feature: where its thresholds begin, how many there are with padding, and where its
    /// table begins.
    features: Vec<FeatureTable>,
    /// Thresholds of all features, each padded with infinity, which is below no value.
    thresholds: Vec<f32>,
    /// All words. Rows are `stride` long and begin at a cache line.
    words: Vec<u64>,
    /// Where the first row of words begins: `Vec` aligns to 8 bytes only.
    start: usize,
    /// Trees, padded to whole lines. Padding votes for class 0 and is taken off.
    stride: usize,
    trees: u32,
}

#[derive(Debug, Clone, Copy)]
struct FeatureTable {
    thresholds: usize,
    padded: usize,
    table: usize,
}

impl WordTables {
    /// Bytes that the tables would have; absent for trees that no word can stand for.
    pub(super) fn bytes_for(forest: &Forest) -> Option<usize> {
        let ranks: usize = forest
            .thresholds()
            .iter()
            .map(|column| column.len() + 1)
            .sum();
        let stride = forest.trees().len().next_multiple_of(LINE);
        (forest.most_leaves() <= 64).then(|| (ranks + 2) * stride * size_of::<u64>())
    }

    pub(super) fn new(forest: &Forest) -> Self {
        let columns = forest.thresholds();
        let stride = forest.trees().len().next_multiple_of(LINE);
        let rows = columns.iter().map(|column| column.len() + 1).sum::<usize>() + 2;
        let words = vec![0; rows * stride + LINE];
        // The buffer is never moved or grown from here on.
        let start = words
            .as_ptr()
            .align_offset(LINE * size_of::<u64>())
            .min(LINE);
        let mut tables = Self {
            features: Vec::with_capacity(columns.len()),
            thresholds: Vec::new(),
            words,
            start,
            stride,
            trees: u32::try_from(forest.trees().len()).unwrap_or(u32::MAX),
        };
        // The first two rows: the leaves that vote for class 1, for class 2.
        let mut table = 2 * stride;
        for column in &columns {
            let thresholds = tables.thresholds.len();
            tables.thresholds.extend(column);
            tables.thresholds.resize(
                (thresholds + column.len()).next_multiple_of(LANES),
                f32::INFINITY,
            );
            let padded = tables.thresholds.len() - thresholds;
            tables.features.push(FeatureTable {
                thresholds,
                padded,
                table,
            });
            let end = table + (column.len() + 1) * stride;
            tables.words[start + table..start + end].fill(u64::MAX);
            table = end;
        }
        for (index, tree) in forest.trees().iter().enumerate() {
            tables.enter(index, tree, 0, 0, &columns);
        }
        // A value above one threshold is above all lower ones: what they rule out stays ruled out.
        for (feature, column) in tables.features.iter().zip(&columns) {
            let from = start + feature.table;
            for at in from + stride..from + (column.len() + 1) * stride {
                tables.words[at] &= tables.words[at - stride];
            }
        }
        tables
    }

    /// Enters the leaves below `node`, of which the first is number `leaf`; returns the next number.
    fn enter(
        &mut self,
        index: usize,
        tree: &Tree,
        node: usize,
        leaf: u32,
        columns: &[Vec<f32>],
    ) -> u32 {
        match tree[node] {
            Node::Leaf { class, .. } => {
                if class > 0 {
                    let at = self.start + (usize::from(class) - 1) * self.stride + index;
                    self.words[at] |= 1 << leaf;
                }
                leaf + 1
            }
            Node::Split {
                feature,
                threshold,
                below,
                above,
            } => {
                let middle = self.enter(index, tree, below as usize, leaf, columns);
                let end = self.enter(index, tree, above as usize, middle, columns);
                // Above the threshold, the leaves below it are ruled out. The other side needs no
                // mask: it lies to the right, and the lowest bit wins.
                let feature = usize::from(feature);
                let rank = columns[feature].partition_point(|other| *other < threshold) + 1;
                let at = self.start + self.features[feature].table + rank * self.stride + index;
                self.words[at] &= !((u64::MAX >> (64 - (middle - leaf))) << leaf);
                end
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.words) + size_of_val(&*self.thresholds)
    }

    #[inline]
    pub(super) fn votes(&self, arch: pulp::Arch, row: &[f32]) -> Votes {
        let row = &row[..self.features.len()];
        let [soft, hard] = match arch {
            pulp::Arch::Scalar => self.count_plain(row),
            _ => arch.dispatch(Count { tables: self, row }),
        };
        Votes([self.trees - soft - hard, soft, hard])
    }

    /// Where each feature's row of words begins, given how a value's rank is found.
    #[inline(always)]
    fn select(&self, row: &[f32], rank: impl Fn(&[f32], f32) -> usize) -> [usize; MAX_FEATURES] {
        let mut selected = [0; MAX_FEATURES];
        for ((selected, feature), value) in selected.iter_mut().zip(&self.features).zip(row) {
            let thresholds = &self.thresholds[feature.thresholds..][..feature.padded];
            *selected = self.start + feature.table + rank(thresholds, *value) * self.stride;
        }
        selected
    }

    /// Without SIMD found at run time.
    fn count_plain(&self, row: &[f32]) -> [u32; CLASSES - 1] {
        let selected = self.select(row, |thresholds, value| {
            thresholds.partition_point(|threshold| *threshold < value)
        });
        let (first, others) = selected[..self.features.len()]
            .split_first()
            .unwrap_or((&0, &[]));
        let (mut soft, mut hard) = (0, 0);
        let class = |class: usize| &self.words[self.start + class * self.stride..][..self.stride];
        let (softs, hards) = (class(0), class(1));
        for at in (0..self.stride).step_by(LINE) {
            let mut left = [0; LINE];
            left.copy_from_slice(&self.words[first + at..][..LINE]);
            for other in others {
                for (left, word) in left.iter_mut().zip(&self.words[other + at..][..LINE]) {
                    *left &= word;
                }
            }
            for (lane, left) in left.iter().enumerate() {
                let leaf = left & left.wrapping_neg();
                soft += u32::from(leaf & softs[at + lane] != 0);
                hard += u32::from(leaf & hards[at + lane] != 0);
            }
        }
        [soft, hard]
    }
}

/// The count in the widest vectors that there are.
struct Count<'a> {
    tables: &'a WordTables,
    row: &'a [f32],
}

impl WithSimd for Count<'_> {
    type Output = [u32; CLASSES - 1];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self { tables, row } = self;
        let selected = tables.select(row, |thresholds, value| rank(simd, thresholds, value));
        let vectors = |at: usize| S::as_simd_u64s(&tables.words[at..at + tables.stride]).0;
        let (first, others) = selected[..row.len()].split_first().unwrap_or((&0, &[]));
        let (softs, hards) = (vectors(tables.start), vectors(tables.start + tables.stride));
        let (zero, one) = (simd.splat_u64s(0), simd.splat_u64s(1));
        let (mut not_soft, mut not_hard) = (zero, zero);
        let first = vectors(*first);
        for at in 0..first.len() {
            let mut left = first[at];
            for other in others {
                left = simd.and_u64s(left, vectors(*other)[at]);
            }
            let leaf = simd.and_u64s(left, simd.sub_u64s(zero, left));
            let soft = simd.equal_u64s(simd.and_u64s(leaf, softs[at]), zero);
            let hard = simd.equal_u64s(simd.and_u64s(leaf, hards[at]), zero);
            not_soft = simd.add_u64s(not_soft, simd.select_u64s(soft, one, zero));
            not_hard = simd.add_u64s(not_hard, simd.select_u64s(hard, one, zero));
        }
        let count = |not: S::u64s| {
            let not = [not];
            let not: u64 = pulp::bytemuck::cast_slice::<S::u64s, u64>(&not)
                .iter()
                .sum();
            u32::try_from(tables.stride as u64 - not).unwrap_or(0)
        };
        [count(not_soft), count(not_hard)]
    }
}

/// How many of the (padded) thresholds are below the value.
#[inline(always)]
fn rank<S: Simd>(simd: S, thresholds: &[f32], value: f32) -> usize {
    let value = simd.splat_f32s(value);
    let (zero, one) = (simd.splat_u32s(0), simd.splat_u32s(1));
    let mut below = zero;
    for &thresholds in S::as_simd_f32s(thresholds).0 {
        let less = simd.less_than_f32s(thresholds, value);
        below = simd.add_u32s(below, simd.select_u32s(less, one, zero));
    }
    let below = [below];
    let below: u32 = pulp::bytemuck::cast_slice::<S::u32s, u32>(&below)
        .iter()
        .sum();
    below as usize
}
