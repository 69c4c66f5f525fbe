//! Errors of model files: one variant per defect; each message names the position and the expected
//! content. A model with any of them is rejected as a whole.

use super::forest::{CLASSES, TreeError};

/// Reason for which a model is rejected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No bytes.
    #[error("the model is empty")]
    Empty,
    /// More bytes than a model may have.
    #[error("the model has {bytes} bytes, the maximum is {limit}")]
    TooLarge {
        /// Size of the model, in bytes.
        bytes: usize,
        /// Maximum size, in bytes.
        limit: usize,
    },
    /// Not a model file.
    #[error("not a model file: it does not begin with {expected:?}")]
    Magic {
        /// First bytes of every model file.
        expected: &'static str,
    },
    /// Another version of the file format.
    #[error("the model has format version {found}, this program reads version {expected}")]
    Version {
        /// Version of the file.
        found: String,
        /// Version that this program reads.
        expected: u32,
    },
    /// A file that ends too early.
    #[error("the model is truncated: {needed} more bytes are needed at byte {offset}, in {part}")]
    Truncated {
        /// Size of the file, in bytes.
        offset: usize,
        /// Number of missing bytes.
        needed: usize,
        /// Part that is incomplete.
        part: &'static str,
    },
    /// Bytes after the end of the model.
    #[error("the model has {bytes} bytes after its end at byte {offset}")]
    Trailing {
        /// Offset of the model's end.
        offset: usize,
        /// Number of bytes after it.
        bytes: usize,
    },
    /// Content that does not match the checksum.
    #[error(
        "the model's checksum is {found:016x}, its content gives {computed:016x}: it was altered"
    )]
    Checksum {
        /// Checksum in the file.
        found: u64,
        /// Checksum of the content.
        computed: u64,
    },
    /// A header that is not the expected JSON.
    #[error("the model's header (line 2) is malformed at column {column}: {message}")]
    Header {
        /// Column in the header line, from 1.
        column: usize,
        /// Message of the JSON reader.
        message: String,
    },
    /// A header field with an invalid value.
    #[error("the model's header field `{field}`: {message}")]
    InvalidField {
        /// Name of the field.
        field: &'static str,
        /// Found and expected value.
        message: String,
    },
    /// A feature that this program does not have.
    #[error(
        "the model needs the feature {name:?}, which this program does not know; it knows {known}"
    )]
    UnknownFeature {
        /// Name in the header.
        name: String,
        /// Names of all known features.
        known: String,
    },
    /// A feature that is listed twice.
    #[error("the model names the feature {name:?} twice")]
    DuplicateFeature {
        /// Name in the header.
        name: String,
    },
    /// Classes that are not the actions.
    #[error("the model's classes are {found:?}, they must be {expected:?}")]
    Classes {
        /// Classes in the header.
        found: Vec<String>,
        /// Names of the actions.
        expected: Vec<&'static str>,
    },
    /// A list of thresholds that does not ascend.
    #[error(
        "threshold {index} of feature {feature} is {value}: thresholds must be numbers and ascend"
    )]
    Thresholds {
        /// Index of the feature.
        feature: usize,
        /// Index of the threshold.
        index: usize,
        /// Value of the threshold.
        value: f32,
    },
    /// A split by a threshold that its feature does not have.
    #[error("tree {tree}, node {node}: threshold {rank} of feature {feature}, which has {count}")]
    ThresholdRank {
        /// Index of the tree.
        tree: usize,
        /// Index of the node.
        node: usize,
        /// Index of the feature.
        feature: usize,
        /// Index of the threshold.
        rank: u32,
        /// Number of thresholds of the feature.
        count: usize,
    },
    /// A number above its maximum.
    #[error("a number at byte {offset} ({part}) is too large")]
    NumberTooLarge {
        /// Offset of the number.
        offset: usize,
        /// Part that holds it.
        part: &'static str,
    },
    /// A count in the header that the body contradicts.
    #[error("the model's header says {declared} {what}, its body has {found}")]
    CountMismatch {
        /// Items counted.
        what: &'static str,
        /// Number in the header.
        declared: usize,
        /// Number in the body.
        found: usize,
    },
    /// An invalid tree.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A self-check row whose votes differ from the recorded ones.
    #[error("self-check row {row}: the model votes {found:?}, the recorded votes are {expected:?}")]
    SelfCheck {
        /// Index of the row.
        row: usize,
        /// Votes of the loaded forest.
        found: [u32; CLASSES],
        /// Votes recorded when the model was written.
        expected: [u32; CLASSES],
    },
}
