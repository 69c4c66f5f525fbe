//! The votes from one row of words a feature: by vectors, or in plain Rust.

use pulp::bytemuck::{cast, cast_slice};
use pulp::{Simd, WithSimd};

/// Words of a cache line, and of the widest vector.
pub(super) const LINE: usize = 8;

/// A cache line of words: eight trees.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Line(pub(super) [u64; LINE]);

/// Lines taken at once: their ANDs do not wait for each other.
const BLOCK: usize = 4;

/// Counts the trees whose leaf votes for class 1, and for class 2.
pub(super) struct Count<'a> {
    /// All lines.
    pub(super) lines: &'a [Line],
    /// Where each feature's row begins, for the row of figures asked about.
    pub(super) selected: &'a [usize],
    /// Lines a row. Row 0 has the leaves that vote for class 1, row 1 those for class 2.
    pub(super) stride: usize,
}

impl WithSimd for Count<'_> {
    type Output = [u32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        // Counted are the trees that do *not* vote so: equality with zero is one instruction.
        let mut misses = [simd.splat_u64s(0); 2];
        let whole = self.stride - self.stride % BLOCK;
        for at in (0..whole).step_by(BLOCK) {
            self.block::<S, BLOCK>(simd, at, &mut misses);
        }
        for at in whole..self.stride {
            self.block::<S, 1>(simd, at, &mut misses);
        }
        misses.map(|misses| {
            let misses: u64 = cast_slice::<S::u64s, u64>(&[misses]).iter().sum();
            u32::try_from((self.stride * LINE) as u64 - misses).unwrap_or(0)
        })
    }
}

impl Count<'_> {
    /// `B` lines from line `at` of each row on.
    #[inline(always)]
    fn block<S: Simd, const B: usize>(&self, simd: S, at: usize, misses: &mut [S::u64s; 2]) {
        let lines = |from: usize| -> &[Line; B] {
            self.lines[from + at..]
                .first_chunk()
                .unwrap_or(&[Line([0; LINE]); B])
        };
        let (first, others) = self.selected.split_first().unwrap_or((&0, &[]));
        // One vector of each line at a time; with AVX-512 a line is one vector.
        for part in 0..LINE / S::U64_LANES {
            let vector = |line: &Line| S::as_simd_u64s(&line.0).0[part];
            let mut left = lines(*first).each_ref().map(vector);
            // Two features at a time: AVX-512 has one instruction for two ANDs.
            let (pairs, last) = others.as_chunks();
            for [one, two] in pairs {
                for ((left, one), two) in left.iter_mut().zip(lines(*one)).zip(lines(*two)) {
                    *left = simd.and_u64s(simd.and_u64s(*left, vector(one)), vector(two));
                }
            }
            for from in last {
                for (left, line) in left.iter_mut().zip(lines(*from)) {
                    *left = simd.and_u64s(*left, vector(line));
                }
            }
            let zero = simd.splat_u64s(0);
            for (at, left) in left.into_iter().enumerate() {
                let leaf = simd.and_u64s(left, simd.sub_u64s(zero, left));
                for (class, misses) in misses.iter_mut().enumerate() {
                    let voting = vector(&lines(class * self.stride)[at]);
                    let miss = simd.equal_u64s(simd.and_u64s(leaf, voting), zero);
                    let one = simd.select_u64s(miss, simd.splat_u64s(1), zero);
                    *misses = simd.add_u64s(*misses, one);
                }
            }
        }
    }

    /// Without SIMD found at run time: eight lanes in plain Rust, which every compiler turns into
    /// the vectors of its baseline.
    pub(super) fn plain(&self) -> [u32; 2] {
        let mut votes = [[0_u64; LINE]; 2];
        for at in 0..self.stride {
            let mut left = [u64::MAX; LINE];
            for from in self.selected {
                let Line(line) = &self.lines[from + at];
                for lane in 0..LINE {
                    left[lane] &= line[lane];
                }
            }
            for (class, votes) in votes.iter_mut().enumerate() {
                let Line(voting) = &self.lines[class * self.stride + at];
                for lane in 0..LINE {
                    let vote = left[lane] & left[lane].wrapping_neg() & voting[lane];
                    // The top bit of x | -x says whether x is anything but zero.
                    votes[lane] += (vote | vote.wrapping_neg()) >> 63;
                }
            }
        }
        votes.map(|votes| u32::try_from(votes.iter().sum::<u64>()).unwrap_or(0))
    }
}

/// How many of the thresholds (padded to whole vectors) are below the value.
#[inline(always)]
pub(super) fn rank<S: Simd>(simd: S, thresholds: &[f32], value: f32) -> usize {
    let value = simd.splat_f32s(value);
    let (mut bits, mut lanes) = (0, simd.splat_u32s(0));
    for &thresholds in S::as_simd_f32s(thresholds).0 {
        let below = simd.less_than_f32s(thresholds, value);
        if const { size_of::<S::m32s>() == 2 && S::F32_LANES == 16 } {
            bits += cast::<S::m32s, u16>(below).count_ones();
        } else {
            let one = simd.select_u32s(below, simd.splat_u32s(1), simd.splat_u32s(0));
            lanes = simd.add_u32s(lanes, one);
        }
    }
    let lanes: u32 = cast_slice::<S::u32s, u32>(&[lanes]).iter().sum();
    (bits + lanes) as usize
}
