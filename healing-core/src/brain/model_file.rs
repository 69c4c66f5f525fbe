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

use super::classifier::Votes;
use super::forest::{Forest, MAX_FEATURES, MAX_NODES, MAX_TREES, Node, Tree};
use super::header::Header;
use super::model::{Model, SelfCheck};
use super::model_error::ModelError;

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

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, part: &'static str) -> Result<&'a [u8], ModelError> {
        let left = &self.bytes[self.at..];
        if count > left.len() {
            let (at, needed) = (self.bytes.len(), count - left.len());
            return Err(ModelError::Truncated { at, needed, part });
        }
        self.at += count;
        Ok(&left[..count])
    }

    fn magic(&mut self) -> Result<(), ModelError> {
        let start = MAGIC.len().min(self.bytes.len());
        if self.bytes[..start] != MAGIC.as_bytes()[..start] {
            return Err(ModelError::Magic { expected: MAGIC });
        }
        let line = self.line("its first line")?;
        let version = &line[MAGIC.len().min(line.len())..];
        if version != VERSION.to_string().as_bytes() {
            let found = String::from_utf8_lossy(&version[..version.len().min(20)]).into_owned();
            return Err(ModelError::Version {
                found,
                expected: VERSION,
            });
        }
        Ok(())
    }

    fn line(&mut self, part: &'static str) -> Result<&'a [u8], ModelError> {
        let left = &self.bytes[self.at..];
        let Some(length) = left.iter().position(|byte| *byte == b'\n') else {
            return Err(ModelError::Truncated {
                at: self.bytes.len(),
                needed: 1,
                part,
            });
        };
        self.at += length + 1;
        Ok(&left[..length])
    }

    fn byte(&mut self, part: &'static str) -> Result<u8, ModelError> {
        Ok(self.take(1, part)?[0])
    }

    fn number(&mut self, part: &'static str) -> Result<u32, ModelError> {
        let at = self.at;
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte(part)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).map_err(|_| ModelError::Number { at, part });
            }
        }
        Err(ModelError::Number { at, part })
    }

    fn float(&mut self, part: &'static str) -> Result<f32, ModelError> {
        let bits = self
            .take(4, part)?
            .iter()
            .rev()
            .fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        Ok(f32::from_bits(bits))
    }

    /// A count of things that take at least `bytes` each: more than could follow is refused before
    /// anything is allocated for them.
    fn count(
        &mut self,
        most: usize,
        bytes: usize,
        part: &'static str,
    ) -> Result<usize, ModelError> {
        let at = self.at;
        let count = self.number(part)? as usize;
        if count > most {
            return Err(ModelError::Number { at, part });
        }
        let left = self.bytes.len() - self.at;
        if count * bytes > left {
            let needed = count * bytes - left;
            return Err(ModelError::Truncated {
                at: self.bytes.len(),
                needed,
                part,
            });
        }
        Ok(count)
    }

    fn body(&mut self, header: &Header) -> Result<(Forest, SelfCheck), ModelError> {
        let features = header.features.len().min(MAX_FEATURES);
        let thresholds = (0..features)
            .map(|feature| self.thresholds(feature))
            .collect::<Result<Vec<_>, _>>()?;
        let trees = (0..header.trees.min(MAX_TREES))
            .map(|tree| self.tree(tree, &thresholds))
            .collect::<Result<Vec<_>, _>>()?;
        let forest = Forest::new(features, trees)?;
        let mut self_check = Vec::new();
        for _ in 0..header.self_check_rows {
            let row = (0..features)
                .map(|_| self.float("a self-check row"))
                .collect::<Result<_, _>>()?;
            let mut votes = Votes::default();
            for count in &mut votes.0 {
                *count = self.number("a self-check row's votes")?;
            }
            self_check.push((row, votes));
        }
        if self.at < self.bytes.len() {
            let declared = header.body_bytes;
            let found = declared - (self.bytes.len() - self.at);
            return Err(ModelError::Count {
                what: "body bytes",
                declared,
                found,
            });
        }
        Ok((forest, self_check))
    }

    fn thresholds(&mut self, feature: usize) -> Result<Vec<f32>, ModelError> {
        let count = self.count(MAX_NODES, 4, "a feature's thresholds")?;
        let mut column: Vec<f32> = Vec::with_capacity(count);
        for index in 0..count {
            let value = self.float("a feature's thresholds")?;
            if value.is_nan() || column.last().is_some_and(|last| *last >= value) {
                return Err(ModelError::Thresholds {
                    feature,
                    index,
                    value,
                });
            }
            column.push(value);
        }
        Ok(column)
    }

    fn tree(&mut self, tree: usize, thresholds: &[Vec<f32>]) -> Result<Tree, ModelError> {
        let count = self.count(MAX_NODES, 2, "a tree's nodes")?;
        let mut nodes = Vec::with_capacity(count);
        for node in 0..count {
            let kind = self.byte("a node")?;
            if kind >= LEAF {
                nodes.push(Node::Leaf {
                    class: kind - LEAF,
                    cover: self.number("a leaf's cover")?,
                });
                continue;
            }
            let feature = usize::from(kind);
            let rank = self.number("a split's threshold")?;
            let (below, above) = (
                self.number("a split's child")?,
                self.number("a split's child")?,
            );
            // A feature beyond the rows is named by the check of the trees, with the rest of them.
            let column = thresholds.get(feature).map_or(&[][..], Vec::as_slice);
            let threshold = match column.get(rank as usize) {
                Some(threshold) => *threshold,
                None if feature >= thresholds.len() => 0.0,
                None => {
                    let count = column.len();
                    return Err(ModelError::ThresholdRank {
                        tree,
                        node,
                        feature,
                        rank,
                        count,
                    });
                }
            };
            nodes.push(Node::Split {
                feature: kind,
                threshold,
                below,
                above,
            });
        }
        Ok(nodes)
    }
}

#[cfg(all(test, feature = "train"))]
mod tests;
