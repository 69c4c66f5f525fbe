//! The model file format.
//!
//! ```text
//! healing-model 1\n                 magic and format version
//! {"name":…,"features":[…],…}\n     header: one line of JSON (see `Header`)
//! body                              header.body_bytes bytes:
//!   per feature                       count, then that many thresholds (f32, ascending)
//!   per tree                          count, then that many nodes:
//!     split                             feature (one byte, 0–63), index of the threshold, below, above
//!     leaf                              0xf0 + class (one byte), cover
//!   per self-check row                one f32 per feature, then the votes: one number per class
//! checksum                          FNV-1a, 64 bits, of all bytes before it
//! ```
//! Numbers without a type are LEB128, everything else is little-endian. Children are indices of nodes
//! in the same tree and come after their parent.
//!
//! # Hazards
//!
//! A model decides about restarts, and its file may come from an untrusted source. The whole file is
//! validated before any of it is used. Memory is allocated only in proportion to the bytes that are
//! present, never by a count in the file alone. The checksum detects damage, not tampering: anyone who
//! can write the file can also write a matching checksum.

mod reader;

use super::Model;
use super::error::ModelError;
use super::forest::Node;
use super::header::Header;
use reader::Reader;

/// Version of the format that this program reads and writes.
pub const VERSION: u32 = 1;
/// Maximum size of a model file, in bytes. Larger files are rejected.
pub const MAX_BYTES: usize = 16 << 20;

/// First bytes of every model file, before the version.
const MAGIC: &str = "healing-model ";
/// First byte of a leaf, without its class.
const LEAF: u8 = 0xf0;

/// Returns the 64-bit FNV-1a hash. Each step is invertible, so a change of one byte changes the result.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl Model {
    /// Reads and validates a model.
    ///
    /// # Errors
    ///
    /// The first error found: see [`ModelError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        if bytes.is_empty() {
            return Err(ModelError::Empty);
        }
        if bytes.len() > MAX_BYTES {
            return Err(ModelError::TooLarge {
                bytes: bytes.len(),
                limit: MAX_BYTES,
            });
        }
        let mut reader = Reader { bytes, offset: 0 };
        reader.magic()?;
        let header = reader.line("the header")?;
        let header: Header =
            serde_json::from_slice(header).map_err(|error| ModelError::Header {
                column: error.column(),
                message: error.to_string(),
            })?;
        header.validate()?;
        let body_offset = reader.offset;
        let body = reader.take(header.body_bytes, "the body")?;
        let end = reader.offset;
        let found = reader.take(8, "the checksum")?;
        let found = found
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        if reader.offset < bytes.len() {
            return Err(ModelError::Trailing {
                offset: reader.offset,
                bytes: bytes.len() - reader.offset,
            });
        }
        let computed = checksum(&bytes[..end]);
        if found != computed {
            return Err(ModelError::Checksum { found, computed });
        }
        // The reader gets the bytes from the file's start, so that offsets in errors are file offsets.
        let mut reader = Reader {
            bytes: &bytes[..body_offset + body.len()],
            offset: body_offset,
        };
        let (forest, self_check) = reader.body(&header)?;
        Self::from_parts(header, forest, self_check)
    }

    /// Returns the content of the model file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{MAGIC}{VERSION}\n").into_bytes();
        // A header has only strings and finite numbers, so serialisation cannot fail.
        bytes.extend(serde_json::to_vec(self.header()).unwrap_or_default());
        bytes.push(b'\n');
        bytes.extend(self.body());
        let sum = checksum(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes
    }

    /// Returns the body of the model file.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let thresholds = self.forest().thresholds();
        for column in &thresholds {
            write_number(&mut bytes, column.len());
            for threshold in column {
                bytes.extend(threshold.to_le_bytes());
            }
        }
        for tree in self.forest().trees() {
            write_number(&mut bytes, tree.len());
            for node in tree {
                match *node {
                    Node::Leaf { class, cover } => {
                        bytes.push(LEAF + class);
                        write_number(&mut bytes, cover as usize);
                    }
                    Node::Split {
                        feature,
                        threshold,
                        below,
                        above,
                    } => {
                        bytes.push(feature);
                        let column = &thresholds[usize::from(feature)];
                        write_number(
                            &mut bytes,
                            column.partition_point(|other| *other < threshold),
                        );
                        write_number(&mut bytes, below as usize);
                        write_number(&mut bytes, above as usize);
                    }
                }
            }
        }
        for (row, votes) in self.self_check() {
            bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
            for count in votes.0 {
                write_number(&mut bytes, count as usize);
            }
        }
        bytes
    }
}

/// Appends a LEB128 number: seven bits per byte, lowest first.
fn write_number(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}
