//! Reading a model file piece by piece; each fault says where.

use super::{LEAF, MAGIC, VERSION};
use crate::model::SelfCheck;
use crate::model::Votes;
use crate::model::error::ModelError;
use crate::model::forest::{Forest, MAX_FEATURES, MAX_NODES, MAX_TREES, Node, Tree};
use crate::model::header::Header;

/// Bytes, and how far they have been read.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn take(
        &mut self,
        count: usize,
        part: &'static str,
    ) -> Result<&'a [u8], ModelError> {
        let left = &self.bytes[self.at..];
        if count > left.len() {
            let (at, needed) = (self.bytes.len(), count - left.len());
            return Err(ModelError::Truncated { at, needed, part });
        }
        self.at += count;
        Ok(&left[..count])
    }

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

    pub(super) fn line(&mut self, part: &'static str) -> Result<&'a [u8], ModelError> {
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
