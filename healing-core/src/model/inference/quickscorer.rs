//! One 64-bit word a tree (the idea of QuickScorer, Lucchese et al. 2015).
//!
//! A tree's leaves are numbered from left (values up to a threshold) to right. For each feature the
//! *rank* of the row's value (how many of the feature's thresholds are below it) selects a table row:
//! one word a tree, whose bits are the leaves that this feature alone does not rule out. The words of
//! all features are ANDed; the lowest bit left is the leaf that the tree's walk ends in. Whether that
//! bit lies in the words of the leaves that vote for class 1 or 2 is the tree's vote: no walk, no
//! branch, and eight trees a vector with AVX-512.

use pulp::{Simd, WithSimd};

use super::simd::{Count, LINE, Line, rank};
use crate::model::Votes;
use crate::model::forest::{CLASSES, Forest, MAX_FEATURES, Node, Tree};

/// Lanes that thresholds are padded to.
const LANES: usize = 16;

/// The tables.
#[derive(Debug)]
pub(super) struct WordTables {
    features: Vec<FeatureTable>,
    /// Thresholds of all features, each padded with infinity, which is below no value.
    thresholds: Vec<f32>,
    /// All rows of words: two of the leaves that vote for class 1 and for class 2, then those of the
    /// features. Trees are padded to whole lines; padding votes for neither.
    lines: Vec<Line>,
    /// Lines a row.
    stride: usize,
    trees: u32,
}

/// Where one feature's parts are.
#[derive(Debug, Clone, Copy)]
struct FeatureTable {
    /// Its first threshold, and how many there are with padding.
    thresholds: usize,
    padded: usize,
    /// Its first line: the row for rank 0.
    table: usize,
}

impl WordTables {
    /// Bytes that the tables would have; absent for trees that no word can stand for.
    pub(super) fn bytes_for(forest: &Forest) -> Option<usize> {
        let columns = forest.thresholds();
        let rows = 2 + columns.iter().map(|column| column.len() + 1).sum::<usize>();
        let stride = forest.trees().len().div_ceil(LINE);
        (forest.most_leaves() <= 64).then(|| rows * stride * size_of::<Line>())
    }

    pub(super) fn new(forest: &Forest) -> Self {
        let columns = forest.thresholds();
        let stride = forest.trees().len().div_ceil(LINE);
        let mut tables = Self {
            features: Vec::with_capacity(columns.len()),
            thresholds: Vec::new(),
            lines: vec![Line([0; LINE]); 2 * stride],
            stride,
            trees: u32::try_from(forest.trees().len()).unwrap_or(u32::MAX),
        };
        for column in &columns {
            let thresholds = tables.thresholds.len();
            let padded = column.len().next_multiple_of(LANES);
            tables.thresholds.extend(column);
            tables.thresholds.resize(thresholds + padded, f32::INFINITY);
            let table = tables.lines.len();
            let end = table + (column.len() + 1) * stride;
            tables.lines.resize(end, Line([u64::MAX; LINE]));
            tables.features.push(FeatureTable {
                thresholds,
                padded,
                table,
            });
        }
        for (index, tree) in forest.trees().iter().enumerate() {
            tables.enter(index, tree, 0, 0, &columns);
        }
        // A value above one threshold is above all lower ones: what they rule out stays ruled out.
        for (feature, column) in tables.features.iter().zip(&columns) {
            for at in feature.table + stride..feature.table + (column.len() + 1) * stride {
                let Line(lower) = tables.lines[at - stride];
                for (word, lower) in tables.lines[at].0.iter_mut().zip(lower) {
                    *word &= lower;
                }
            }
        }
        tables
    }

    /// A tree's word in the row that begins at this line.
    fn word(&mut self, row: usize, tree: usize) -> &mut u64 {
        &mut self.lines[row + tree / LINE].0[tree % LINE]
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
                let middle = self.enter(index, tree, below as usize, leaf, columns);
                let end = self.enter(index, tree, above as usize, middle, columns);
                // Above the threshold, the leaves below it are ruled out. The other side needs no
                // mask: it lies to the right, and the lowest bit wins.
                let feature = usize::from(feature);
                let rank = columns[feature].partition_point(|other| *other < threshold) + 1;
                let row = self.features[feature].table + rank * self.stride;
                *self.word(row, index) &= !((u64::MAX >> (64 - (middle - leaf))) << leaf);
                end
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.lines) + size_of_val(&*self.thresholds)
    }

    #[inline]
    pub(super) fn votes(&self, arch: pulp::Arch, row: &[f32]) -> Votes {
        let ask = Ask {
            tables: self,
            row: &row[..self.features.len()],
        };
        let [soft, hard] = match arch {
            pulp::Arch::Scalar => ask.plain(),
            _ => arch.dispatch(ask),
        };
        Votes([self.trees - soft - hard, soft, hard])
    }
}

/// One row put before the tables.
struct Ask<'a> {
    tables: &'a WordTables,
    row: &'a [f32],
}

impl Ask<'_> {
    /// Counts, given how a value's rank is found and how words are counted.
    #[inline(always)]
    fn count(
        &self,
        rank: impl Fn(&[f32], f32) -> usize,
        count: impl FnOnce(Count<'_>) -> [u32; CLASSES - 1],
    ) -> [u32; CLASSES - 1] {
        let Self { tables, row } = self;
        let mut selected = [0; MAX_FEATURES];
        for ((selected, feature), value) in selected.iter_mut().zip(&tables.features).zip(*row) {
            let thresholds = &tables.thresholds[feature.thresholds..][..feature.padded];
            *selected = feature.table + rank(thresholds, *value) * tables.stride;
        }
        count(Count {
            lines: &tables.lines,
            selected: &selected[..row.len()],
            stride: tables.stride,
        })
    }

    /// Without SIMD found at run time.
    fn plain(&self) -> [u32; CLASSES - 1] {
        let rank = |thresholds: &[f32], value: f32| {
            thresholds.partition_point(|threshold| *threshold < value)
        };
        self.count(rank, |count| count.plain())
    }
}

impl WithSimd for Ask<'_> {
    type Output = [u32; CLASSES - 1];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        self.count(
            #[inline(always)]
            |thresholds, value| rank(simd, thresholds, value),
            #[inline(always)]
            |count| count.with_simd(simd),
        )
    }
}
