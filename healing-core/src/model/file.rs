//! The model file.
//!
//! ```text
//! healing-model 1\n                 what it is, and the version of this format
//! {"name":…,"features":[…],…}\n     the header: one line of JSON (see `Header`)
//! body                              header.body_bytes bytes:
//!   per feature                       count, then that many thresholds (f32, ascending)
//!   per tree                          count, then that many nodes:
//!     split                             feature (one byte, 0–63), threshold's index, below, above
//!     leaf                              0xf0 + class (one byte), cover
//!   per self-check row                one f32 a feature, one number a class: the votes
//! checksum                          FNV-1a, 64 bits, of all before it
//! ```
//! Numbers without a type are LEB128, everything else is little-endian. Children are indices of nodes
//! in the same tree and come after their parent.
//!
//! Hazard: a model decides about restarts, and its file may come from anywhere. All of it is checked
//! before any of it is used; nothing is allocated because a number in the file says so, only for
//! bytes that are really there. The checksum finds damage, not malice: who may write the file may
//! write the checksum.

mod reader;

use super::Model;
use super::error::ModelError;
use super::forest::Node;
use super::header::Header;
use reader::Reader;

/// The version this program reads and writes.
pub const VERSION: u32 = 1;
/// Larger files are not read.
pub const MAX_BYTES: usize = 16 << 20;

const MAGIC: &str = "healing-model ";
const LEAF: u8 = 0xf0;

/// FNV-1a, 64 bits: each step can be undone, so any one altered byte alters the result.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl Model {
    /// Reads a model, checking all of it.
    ///
    /// # Errors
    /// The first fault found: see [`ModelError`].
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
        let mut reader = Reader { bytes, at: 0 };
        reader.magic()?;
        let header = reader.line("the header")?;
        let header: Header =
            serde_json::from_slice(header).map_err(|error| ModelError::Header {
                column: error.column(),
                message: error.to_string(),
            })?;
        header.check()?;
        let body_at = reader.at;
        let body = reader.take(header.body_bytes, "the body")?;
        let end = reader.at;
        let found = reader.take(8, "the checksum")?;
        let found = found
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        if reader.at < bytes.len() {
            return Err(ModelError::Trailing {
                at: reader.at,
                bytes: bytes.len() - reader.at,
            });
        }
        let computed = checksum(&bytes[..end]);
        if found != computed {
            return Err(ModelError::Checksum { found, computed });
        }
        // Read from the file's start, so that positions in messages are the file's.
        let mut reader = Reader {
            bytes: &bytes[..body_at + body.len()],
            at: body_at,
        };
        let (forest, self_check) = reader.body(&header)?;
        Self::from_parts(header, forest, self_check)
    }

    /// The whole file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{MAGIC}{VERSION}\n").into_bytes();
        // A header is strings and numbers: nothing in it that JSON cannot say.
        bytes.extend(serde_json::to_vec(self.header()).unwrap_or_default());
        bytes.push(b'\n');
        bytes.extend(self.body());
        let sum = checksum(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes
    }

    /// The binary part.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let thresholds = self.forest().thresholds();
        for column in &thresholds {
            number(&mut bytes, column.len());
            for threshold in column {
                bytes.extend(threshold.to_le_bytes());
            }
        }
        for tree in self.forest().trees() {
            number(&mut bytes, tree.len());
            for node in tree {
                match *node {
                    Node::Leaf { class, cover } => {
                        bytes.push(LEAF + class);
                        number(&mut bytes, cover as usize);
                    }
                    Node::Split {
                        feature,
                        threshold,
                        below,
                        above,
                    } => {
                        bytes.push(feature);
                        let column = &thresholds[usize::from(feature)];
                        number(
                            &mut bytes,
                            column.partition_point(|other| *other < threshold),
                        );
                        number(&mut bytes, below as usize);
                        number(&mut bytes, above as usize);
                    }
                }
            }
        }
        for (row, votes) in self.self_check() {
            bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
            for count in votes.0 {
                number(&mut bytes, count as usize);
            }
        }
        bytes
    }
}

/// LEB128: seven bits a byte, lowest first.
fn number(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests;
