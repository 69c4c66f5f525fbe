//! A reader of model files; every error has the offset of its cause.

use super::{LEAF, MAGIC, VERSION};
use crate::model::SelfCheck;
use crate::model::Votes;
use crate::model::error::ModelError;
use crate::model::forest::{Forest, MAX_FEATURES, MAX_NODES, MAX_TREES, Node, Tree};
use crate::model::header::Header;

/// Bytes with a read offset.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) offset: usize,
}

impl<'a> Reader<'a> {
    /// Takes the next `count` bytes.
    pub(super) fn take(
        &mut self,
        count: usize,
        part: &'static str,
    ) -> Result<&'a [u8], ModelError> {
        let left = &self.bytes[self.offset..];
        if count > left.len() {
            let (offset, needed) = (self.bytes.len(), count - left.len());
            return Err(ModelError::Truncated {
                offset,
                needed,
                part,
            });
        }
        self.offset += count;
        Ok(&left[..count])
    }

    /// Reads the first line and validates magic and version.
    pub(super) fn magic(&mut self) -> Result<(), ModelError> {
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

    /// Takes the bytes up to the next line end, which is skipped.
    pub(super) fn line(&mut self, part: &'static str) -> Result<&'a [u8], ModelError> {
        let left = &self.bytes[self.offset..];
        let Some(length) = left.iter().position(|byte| *byte == b'\n') else {
            return Err(ModelError::Truncated {
                offset: self.bytes.len(),
                needed: 1,
                part,
            });
        };
        self.offset += length + 1;
        Ok(&left[..length])
    }

    /// Reads one byte.
    fn byte(&mut self, part: &'static str) -> Result<u8, ModelError> {
        Ok(self.take(1, part)?[0])
    }

    /// Reads a LEB128 number.
    fn number(&mut self, part: &'static str) -> Result<u32, ModelError> {
        let offset = self.offset;
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte(part)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value)
                    .map_err(|_| ModelError::NumberTooLarge { offset, part });
            }
        }
        Err(ModelError::NumberTooLarge { offset, part })
    }

    /// Reads a little-endian f32.
    fn float(&mut self, part: &'static str) -> Result<f32, ModelError> {
        let bits = self
            .take(4, part)?
            .iter()
            .rev()
            .fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        Ok(f32::from_bits(bits))
    }

    /// Reads a count of items of at least `bytes` bytes each. A count that exceeds `max` or the
    /// remaining bytes is rejected before anything is allocated for it.
    fn count(&mut self, max: usize, bytes: usize, part: &'static str) -> Result<usize, ModelError> {
        let offset = self.offset;
        let count = self.number(part)? as usize;
        if count > max {
            return Err(ModelError::NumberTooLarge { offset, part });
        }
        let left = self.bytes.len() - self.offset;
        if count * bytes > left {
            let needed = count * bytes - left;
            return Err(ModelError::Truncated {
                offset: self.bytes.len(),
                needed,
                part,
            });
        }
        Ok(count)
    }

    /// Reads the body: thresholds, trees and self-check rows.
    pub(super) fn body(&mut self, header: &Header) -> Result<(Forest, SelfCheck), ModelError> {
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
        if self.offset < self.bytes.len() {
            let declared = header.body_bytes;
            let found = declared - (self.bytes.len() - self.offset);
            return Err(ModelError::CountMismatch {
                what: "body bytes",
                declared,
                found,
            });
        }
        Ok((forest, self_check))
    }

    /// Reads the thresholds of one feature.
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

    /// Reads one tree. Its structure is validated by [`Forest::new`].
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
            // `Forest::new` reports a feature beyond the row; its threshold does not matter.
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
