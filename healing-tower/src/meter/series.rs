//! Histograms of one endpoint (route and method), one per status code and shard.
//!
//! A handler responds with few status codes, so a linear search of a short chain is faster than a map.
//! The chain is append-only, so an entry, once filled, keeps its status code.

use super::sharded::ShardCounters;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Index of the sum of durations in a series' counters, in nanoseconds; the buckets follow.
const SUM: usize = 0;

/// Series of one route and method, as one chain per shard.
pub(crate) struct Endpoint(Box<[Chain]>);

/// Series of the status codes that one shard has recorded.
#[derive(Default)]
struct Chain {
    entries: [OnceLock<StatusSeries>; 3],
    next: OnceLock<Box<Chain>>,
}

/// Counters of one status code in one shard.
struct StatusSeries {
    status: u16,
    counters: ShardCounters,
}

/// Totals of one series over all shards.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    /// Sum of the durations in nanoseconds.
    pub(crate) nanos: u64,
    /// Requests in each bucket, not cumulative; the last is above all bounds.
    pub(crate) buckets: Vec<u64>,
}

impl Endpoint {
    pub(crate) fn new(shards: usize) -> Self {
        Self((0..shards).map(|_| Chain::default()).collect())
    }

    /// Adds one request. `bounds` are in nanoseconds, ascending, and the same at each call.
    #[inline]
    pub(crate) fn record(&self, shard: usize, status: u16, nanos: u64, bounds: &[u64]) {
        // Most requests are fast, so a linear search stops early.
        let bucket = bounds
            .iter()
            .position(|&b| nanos <= b)
            .unwrap_or(bounds.len());
        let counters = self.0[shard].counters(status, bounds.len() + 2);
        counters.add(SUM, nanos);
        counters.add(SUM + 1 + bucket, 1);
    }

    /// Returns the totals by status code, with `buckets` buckets each.
    pub(crate) fn totals(&self, buckets: usize) -> BTreeMap<u16, Totals> {
        let mut totals = BTreeMap::<u16, Totals>::new();
        for chain in &self.0 {
            let mut next = Some(chain);
            while let Some(chain) = next {
                for series in chain.entries.iter().filter_map(OnceLock::get) {
                    let total = totals.entry(series.status).or_default();
                    total.nanos = total.nanos.wrapping_add(series.counters.get(SUM));
                    total.buckets.resize(buckets, 0);
                    for (index, count) in total.buckets.iter_mut().enumerate() {
                        *count += series.counters.get(SUM + 1 + index);
                    }
                }
                next = chain.next.get().map(|next| &**next);
            }
        }
        totals
    }
}

impl Chain {
    #[inline]
    fn counters(&self, status: u16, len: usize) -> &ShardCounters {
        let mut chain = self;
        loop {
            for entry in &chain.entries {
                let series = entry.get_or_init(|| StatusSeries {
                    status,
                    counters: ShardCounters::new(len),
                });
                if series.status == status {
                    return &series.counters;
                }
            }
            chain = chain.next.get_or_init(Box::default);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_sum_every_status_over_shards() {
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
