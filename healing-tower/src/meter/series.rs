//! The histograms of one endpoint (route and method): one a status code and shard.
//!
//! A handler answers with few codes, so a short chain that is walked from the front beats any map.
//! It is only ever appended to; a place in it, once filled, belongs to its code for good.

use super::cells::Cells;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Index of a series' sum of durations, in nanoseconds; the buckets follow.
const SUM: usize = 0;

/// One route and method.
pub(crate) struct Endpoint(Box<[Chain]>);

/// The codes that one shard has seen.
#[derive(Default)]
struct Chain {
    codes: [OnceLock<Code>; 3],
    more: OnceLock<Box<Chain>>,
}

struct Code {
    status: u16,
    cells: Cells,
}

/// What a series adds up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    /// Sum of the durations in nanoseconds.
    pub(crate) nanos: u64,
    /// Requests a bucket, not cumulative; the last is above all bounds.
    pub(crate) buckets: Vec<u64>,
}

impl Endpoint {
    pub(crate) fn new(shards: usize) -> Self {
        Self((0..shards).map(|_| Chain::default()).collect())
    }

    /// Adds one request. `bounds` in nanoseconds, ascending, the same at each call.
    #[inline]
    pub(crate) fn record(&self, shard: usize, status: u16, nanos: u64, bounds: &[u64]) {
        // Most requests are fast, so this ends early.
        let bucket = bounds
            .iter()
            .position(|&b| nanos <= b)
            .unwrap_or(bounds.len());
        let cells = self.0[shard].cells(status, bounds.len() + 2);
        cells.add(SUM, nanos);
        cells.add(SUM + 1 + bucket, 1);
    }

    /// The series by status code, `buckets` of them each.
    pub(crate) fn totals(&self, buckets: usize) -> BTreeMap<u16, Totals> {
        let mut totals = BTreeMap::<u16, Totals>::new();
        for chain in &self.0 {
            let mut next = Some(chain);
            while let Some(chain) = next {
                for code in chain.codes.iter().filter_map(OnceLock::get) {
                    let total = totals.entry(code.status).or_default();
                    total.nanos = total.nanos.wrapping_add(code.cells.get(SUM));
                    total.buckets.resize(buckets, 0);
                    for (index, count) in total.buckets.iter_mut().enumerate() {
                        *count += code.cells.get(SUM + 1 + index);
                    }
                }
                next = chain.more.get().map(|more| &**more);
            }
        }
        totals
    }
}

impl Chain {
    #[inline]
    fn cells(&self, status: u16, len: usize) -> &Cells {
        let mut chain = self;
        loop {
            for place in &chain.codes {
                let code = place.get_or_init(|| Code {
                    status,
                    cells: Cells::new(len),
                });
                if code.status == status {
                    return &code.cells;
                }
            }
            chain = chain.more.get_or_init(Box::default);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_shards_add_up() {
        let endpoint = Endpoint::new(2);
        for status in 200..300 {
            for shard in 0..2 {
                endpoint.record(shard, status, 5, &[5, 10]);
                endpoint.record(shard, status, 11, &[5, 10]);
            }
        }
        let totals = endpoint.totals(3);
        assert_eq!(totals.len(), 100);
        let expected = Totals {
            nanos: 32,
            buckets: vec![2, 0, 2],
        };
        assert!(totals.values().all(|total| *total == expected));
    }
}
