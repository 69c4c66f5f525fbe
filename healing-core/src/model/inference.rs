//! A forest compiled for inference. It is built once at load and does not allocate per prediction.
//!
//! There are two layouts, and the size of the forest determines which one is used. `quickscorer` keeps one 64-bit
//! bit vector per tree, for forests as healing trains them (at most 64 leaves per tree, few
//! thresholds per feature). `packed_nodes` takes any other forest, and those whose QuickScorer
//! tables would exceed [`MAX_TABLE_BYTES`]. Both give exactly the votes of [`Forest::traverse`].

mod packed_nodes;
mod quickscorer;
mod simd;

use super::classifier::Votes;
use super::forest::Forest;
use packed_nodes::PackedNodes;
use quickscorer::QuickScorer;

/// Maximum size of the QuickScorer tables, in bytes. Larger tables cost an app in the same pod more
/// memory and cache than they save time, so packed nodes are used.
pub const MAX_TABLE_BYTES: usize = 2 << 20;

/// A compiled forest.
#[derive(Debug)]
pub struct Compiled {
    layout: Layout,
    /// Instruction set, detected at run time.
    arch: pulp::Arch,
}

/// Memory layout of a compiled forest.
#[derive(Debug)]
enum Layout {
    QuickScorer(QuickScorer),
    PackedNodes(PackedNodes),
}

impl Compiled {
    /// Compiles for the best instruction set of this machine.
    #[must_use]
    pub fn new(forest: &Forest) -> Self {
        let layout = if QuickScorer::bytes_for(forest).is_some_and(|bytes| bytes <= MAX_TABLE_BYTES)
        {
            Layout::QuickScorer(QuickScorer::new(forest))
        } else {
            Layout::PackedNodes(PackedNodes::new(forest))
        };
        Self {
            layout,
            arch: pulp::Arch::new(),
        }
    }

    /// Compiles for the baseline instruction set of this architecture, without run-time SIMD.
    #[must_use]
    pub fn portable(forest: &Forest) -> Self {
        Self {
            arch: pulp::Arch::Scalar,
            ..Self::new(forest)
        }
    }

    /// Compiles once for each backend of this machine, the portable one first. All give the same votes.
    #[must_use]
    pub fn all_backends(forest: &Forest) -> Vec<Self> {
        let mut backends = vec![Self::portable(forest)];
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            let arch = pulp::Arch::V3(simd);
            backends.push(Self {
                arch,
                ..Self::new(forest)
            });
        }
        backends.push(Self::new(forest));
        backends.dedup_by_key(|backend| backend.simd_bits());
        backends
    }

    /// Returns the votes for a row of finite values.
    ///
    /// # Panics
    ///
    /// If the row has fewer values than the forest has features.
    #[inline]
    #[must_use]
    pub fn votes(&self, row: &[f32]) -> Votes {
        match &self.layout {
            Layout::QuickScorer(tables) => tables.votes(self.arch, row),
            Layout::PackedNodes(nodes) => nodes.votes(row),
        }
    }

    /// Returns the size of the tables or nodes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.layout {
            Layout::QuickScorer(tables) => tables.bytes(),
            Layout::PackedNodes(nodes) => nodes.bytes(),
        }
    }

    /// Returns `true` for the QuickScorer layout, which has one bit vector per tree.
    #[must_use]
    pub fn is_bitvector(&self) -> bool {
        matches!(self.layout, Layout::QuickScorer(_))
    }

    /// Returns the width of the vectors in use, in bits; 0 without run-time SIMD.
    #[must_use]
    pub fn simd_bits(&self) -> u32 {
        match (&self.layout, self.arch) {
            #[cfg(target_arch = "x86_64")]
            (Layout::QuickScorer(_), pulp::Arch::V4(_)) => 512,
            #[cfg(target_arch = "x86_64")]
            (Layout::QuickScorer(_), pulp::Arch::V3(_)) => 256,
            (Layout::PackedNodes(_), _) | (_, pulp::Arch::Scalar) => 0,
            #[allow(unreachable_patterns)] // on x86-64
            _ => 128,
        }
    }
}

#[cfg(test)]
mod tests;
