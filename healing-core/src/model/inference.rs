//! The forest as it is asked: built once at load, no allocation per prediction.
//!
//! Two forms, chosen by the forest. `words`: one 64-bit word a tree, for forests as we train them
//! (at most 64 leaves a tree, few thresholds a feature). `nodes`: compact nodes, for any other
//! forest, or where the first form's tables would outgrow [`MAX_TABLE_BYTES`]. Both give exactly the
//! votes of [`Forest::walk`].

mod packed_nodes;
mod quickscorer;
mod simd;

use super::classifier::Votes;
use super::forest::Forest;
use packed_nodes::CompactNodes;
use quickscorer::WordTables;

/// Tables larger than this do not pay beside an app: compact nodes are used instead.
pub const MAX_TABLE_BYTES: usize = 2 << 20;

/// A compiled forest.
#[derive(Debug)]
pub struct Compiled {
    form: Form,
    /// The instruction set found at run time.
    arch: pulp::Arch,
}

#[derive(Debug)]
enum Form {
    Words(WordTables),
    Nodes(CompactNodes),
}

impl Compiled {
    /// Compiles for the best instruction set of this machine.
    #[must_use]
    pub fn new(forest: &Forest) -> Self {
        let form = if WordTables::bytes_for(forest).is_some_and(|bytes| bytes <= MAX_TABLE_BYTES) {
            Form::Words(WordTables::new(forest))
        } else {
            Form::Nodes(CompactNodes::new(forest))
        };
        Self {
            form,
            arch: pulp::Arch::new(),
        }
    }

    /// The same without SIMD found at run time: what every machine of this architecture can do.
    #[must_use]
    pub fn portable(forest: &Forest) -> Self {
        Self {
            arch: pulp::Arch::Scalar,
            ..Self::new(forest)
        }
    }

    /// One for each way to count that this machine has, the portable one first: they must all agree.
    #[must_use]
    pub fn every_path(forest: &Forest) -> Vec<Self> {
        let mut paths = vec![Self::portable(forest)];
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            let arch = pulp::Arch::V3(simd);
            paths.push(Self {
                arch,
                ..Self::new(forest)
            });
        }
        paths.push(Self::new(forest));
        paths.dedup_by_key(|path| path.simd_bits());
        paths
    }

    /// Votes on a row of finite figures.
    ///
    /// # Panics
    /// If the row is shorter than the forest's features.
    #[inline]
    #[must_use]
    pub fn votes(&self, row: &[f32]) -> Votes {
        match &self.form {
            Form::Words(words) => words.votes(self.arch, row),
            Form::Nodes(nodes) => nodes.votes(row),
        }
    }

    /// Bytes of the tables or nodes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.form {
            Form::Words(words) => words.bytes(),
            Form::Nodes(nodes) => nodes.bytes(),
        }
    }

    /// Whether one word stands for a tree.
    #[must_use]
    pub fn is_words(&self) -> bool {
        matches!(self.form, Form::Words(_))
    }

    /// Width of the vectors in use; 0 without SIMD found at run time.
    #[must_use]
    pub fn simd_bits(&self) -> u32 {
        match (&self.form, self.arch) {
            #[cfg(target_arch = "x86_64")]
            (Form::Words(_), pulp::Arch::V4(_)) => 512,
            #[cfg(target_arch = "x86_64")]
            (Form::Words(_), pulp::Arch::V3(_)) => 256,
            (Form::Nodes(_), _) | (_, pulp::Arch::Scalar) => 0,
            #[allow(unreachable_patterns)] // on x86-64
            _ => 128,
        }
    }
}

#[cfg(test)]
mod tests;
