//! What can be wrong with a model: one variant a fault, each message saying where and what would be
//! right. Nothing is used of a model that has any of them.

use super::forest::{CLASSES, TreeError};

/// Why a model was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Nothing there.
    #[error("the model is empty")]
    Empty,
    /// Larger than any model can be.
    #[error("the model has {bytes} bytes, the most allowed is {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Another kind of file.
    #[error("not a model file: it does not begin with {expected:?}")]
    Magic {
        /// How every model begins.
        expected: &'static str,
    },
    /// Written by another version.
    #[error("the model has format version {found}, this program reads version {expected}")]
    Version {
        /// What it says.
        found: String,
        /// What is read.
        expected: u32,
    },
    /// It ends early.
    #[error("the model is truncated: {needed} more bytes are needed at byte {at}, in {part}")]
    Truncated {
        /// Where it ends.
        at: usize,
        /// How many bytes are missing.
        needed: usize,
        /// What was being read.
        part: &'static str,
    },
    /// Bytes after the end.
    #[error("the model has {bytes} bytes after its end at byte {at}")]
    Trailing {
        /// Where it should end.
        at: usize,
        /// How many follow.
        bytes: usize,
    },
    /// Altered.
    #[error(
        "the model's checksum is {found:016x}, its content gives {computed:016x}: it was altered"
    )]
    Checksum {
        /// What the file says.
        found: u64,
        /// What its content gives.
        computed: u64,
    },
    /// The header is not the JSON it should be.
    #[error("the model's header (line 2) is malformed at column {column}: {message}")]
    Header {
        /// 1-based.
        column: usize,
        /// From the JSON reader.
        message: String,
    },
    /// A header field makes no sense.
    #[error("the model's header field `{field}`: {message}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// Made for features this program does not have.
    #[error(
        "the model needs the feature {name:?}, which this program does not know; it knows {known}"
    )]
    UnknownFeature {
        /// As in the header.
        name: String,
        /// All known names.
        known: String,
    },
    /// Named twice.
    #[error("the model names the feature {name:?} twice")]
    DuplicateFeature {
        /// As in the header.
        name: String,
    },
    /// Other classes than the actions.
    #[error("the model's classes are {found:?}, they must be {expected:?}")]
    Classes {
        /// As in the header.
        found: Vec<String>,
        /// The actions' words.
        expected: Vec<&'static str>,
    },
    /// A threshold list that does not ascend.
    #[error(
        "threshold {index} of feature {feature} is {value}: thresholds must be numbers and ascend"
    )]
    Thresholds {
        /// Index of the feature.
        feature: usize,
        /// Index in its list.
        index: usize,
        /// What stands there.
        value: f32,
    },
    /// A split names a threshold its feature does not have.
    #[error("tree {tree}, node {node}: threshold {rank} of feature {feature}, which has {count}")]
    ThresholdRank {
        /// Which tree.
        tree: usize,
        /// Which node.
        node: usize,
        /// Which feature.
        feature: usize,
        /// The threshold named.
        rank: u32,
        /// Thresholds the feature has.
        count: usize,
    },
    /// A number that does not fit.
    #[error("a number at byte {at} ({part}) is too large")]
    Number {
        /// Where.
        at: usize,
        /// What was being read.
        part: &'static str,
    },
    /// Header and body disagree.
    #[error("the model's header says {declared} {what}, its body has {found}")]
    Count {
        /// Of what.
        what: &'static str,
        /// In the header.
        declared: usize,
        /// In the body.
        found: usize,
    },
    /// The trees are no trees.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The forest does not answer as it did when it was written.
    #[error("self-check row {row}: the model votes {found:?}, when written it voted {expected:?}")]
    SelfCheck {
        /// Which row.
        row: usize,
        /// Votes now.
        found: [u32; CLASSES],
        /// Votes then.
        expected: [u32; CLASSES],
    },
}
