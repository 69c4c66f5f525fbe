//! The QuickScorer kernels: the rank of a value and the vote count, with SIMD and in portable Rust.

use pulp::bytemuck::{cast, cast_slice};
use pulp::{Simd, WithSimd};

/// 64-bit words per cache line, and per widest vector.
pub(super) const WORDS_PER_LINE: usize = 8;

/// One cache line of bit vectors: eight trees.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct CacheLine(pub(super) [u64; WORDS_PER_LINE]);

/// Number of cache lines that are processed at once. Their chains of ANDs are independent.
const BLOCK: usize = 4;

/// Count of the trees whose exit leaf votes for class 1, and for class 2.
pub(super) struct VoteKernel<'a> {
    /// All table rows.
    pub(super) lines: &'a [CacheLine],
    /// First cache line of each feature's table row, selected by the rank of its value.
    pub(super) selected: &'a [usize],
    /// Cache lines per table row. Row 0 masks the leaves of class 1, row 1 those of class 2.
    pub(super) stride: usize,
}

impl WithSimd for VoteKernel<'_> {
    type Output = [u32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        // Counts the trees that do *not* vote for the class, because a comparison with zero is one instruction.
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
            u32::try_from((self.stride * WORDS_PER_LINE) as u64 - misses).unwrap_or(0)
        })
    }
}

impl VoteKernel<'_> {
    /// Adds the misses of `B` cache lines, starting at line `at` of each table row.
    #[inline(always)]
    fn block<S: Simd, const B: usize>(&self, simd: S, at: usize, misses: &mut [S::u64s; 2]) {
        let lines = |from: usize| -> &[CacheLine; B] {
            self.lines[from + at..]
                .first_chunk()
                .unwrap_or(&[CacheLine([0; WORDS_PER_LINE]); B])
        };
        let (first, others) = self.selected.split_first().unwrap_or((&0, &[]));
        // One vector of each cache line at a time; with AVX-512 a line is one vector.
        for part in 0..WORDS_PER_LINE / S::U64_LANES {
            let vector = |line: &CacheLine| S::as_simd_u64s(&line.0).0[part];
            let mut reachable = lines(*first).each_ref().map(vector);
            // Two features at a time, because AVX-512 has one instruction for two ANDs.
            let (pairs, last) = others.as_chunks();
            for [one, two] in pairs {
                for ((reachable, one), two) in
                    reachable.iter_mut().zip(lines(*one)).zip(lines(*two))
                {
                    *reachable = simd.and_u64s(simd.and_u64s(*reachable, vector(one)), vector(two));
                }
            }
            for from in last {
                for (reachable, line) in reachable.iter_mut().zip(lines(*from)) {
                    *reachable = simd.and_u64s(*reachable, vector(line));
                }
            }
            let zero = simd.splat_u64s(0);
            for (at, reachable) in reachable.into_iter().enumerate() {
                // x & -x keeps the lowest set bit, which is the exit leaf.
                let exit_leaf = simd.and_u64s(reachable, simd.sub_u64s(zero, reachable));
                for (class, misses) in misses.iter_mut().enumerate() {
                    let mask = vector(&lines(class * self.stride)[at]);
                    let miss = simd.equal_u64s(simd.and_u64s(exit_leaf, mask), zero);
                    let one = simd.select_u64s(miss, simd.splat_u64s(1), zero);
                    *misses = simd.add_u64s(*misses, one);
                }
            }
        }
    }

    /// Counts the votes without run-time SIMD, in eight lanes of plain Rust that the compiler turns into
    /// vectors of the baseline instruction set.
    pub(super) fn portable(&self) -> [u32; 2] {
        let mut votes = [[0_u64; WORDS_PER_LINE]; 2];
        for at in 0..self.stride {
            let mut reachable = [u64::MAX; WORDS_PER_LINE];
            for from in self.selected {
                let CacheLine(line) = &self.lines[from + at];
                for lane in 0..WORDS_PER_LINE {
                    reachable[lane] &= line[lane];
                }
            }
            for (class, votes) in votes.iter_mut().enumerate() {
                let CacheLine(mask) = &self.lines[class * self.stride + at];
                for lane in 0..WORDS_PER_LINE {
                    let vote = reachable[lane] & reachable[lane].wrapping_neg() & mask[lane];
                    // The top bit of x | -x is set exactly if x is not zero.
                    votes[lane] += (vote | vote.wrapping_neg()) >> 63;
                }
            }
        }
        votes.map(|votes| u32::try_from(votes.iter().sum::<u64>()).unwrap_or(0))
    }
}

/// Returns the number of thresholds below the value. The thresholds are padded to whole vectors.
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
