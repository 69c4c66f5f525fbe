//! Counts of one endpoint (route and method): the requests that have begun, and a histogram per status
//! code and outcome, each per shard.
//!
//! A handler responds with few status codes, so a linear search of a short chain is faster than a map.
//! The chain is append-only, so an entry, once filled, keeps its key.

use super::outcome::Outcome;
use super::sharded::ShardCounters;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Index of the sum of durations in a series' counters, in nanoseconds; the buckets follow.
const SUM: usize = 0;

/// Counts of one route and method.
pub(crate) struct Endpoint(Box<[EndpointShard]>);

/// Counts of one endpoint in one shard, aligned as those of [`super::sharded`].
#[derive(Default)]
#[repr(align(128))]
struct EndpointShard {
    /// Requests that have begun.
    begun: AtomicU64,
    /// Response heads whose body is tracked.
    tracked: AtomicU64,
    series: Chain,
}

/// Series that one shard has recorded.
#[derive(Default)]
struct Chain {
    entries: [OnceLock<Series>; 3],
    next: OnceLock<Box<Chain>>,
}

/// Counters of one key in one shard.
struct Series {
    key: Key,
    counters: ShardCounters,
}

/// Status code, outcome and body of the requests of one series, in one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u16);

impl Key {
    /// Number above every status code.
    const STATUSES: u16 = 1 << 10;
    /// Set if the body was tracked.
    const TRACKED: u16 = 1 << 15;

    #[inline]
    pub(crate) fn new(status: u16, outcome: Outcome, tracked: bool) -> Self {
        let tracked = if tracked { Self::TRACKED } else { 0 };
        Self(status | (outcome as u16 * Self::STATUSES) | tracked)
    }

    fn status(self) -> u16 {
        self.0 % Self::STATUSES
    }

    fn is_tracked(self) -> bool {
        self.0 & Self::TRACKED != 0
    }

    fn has_outcome(self, outcome: Outcome) -> bool {
        (self.0 & !Self::TRACKED) / Self::STATUSES == outcome as u16
    }
}

/// Totals of one series over all shards.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    /// Sum of the durations in nanoseconds.
    pub(crate) nanos: u64,
    /// Requests in each bucket, not cumulative; the last is above all bounds.
    pub(crate) buckets: Vec<u64>,
}

/// Number of requests of one endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) begun: u64,
    /// Response heads sent, and panics before the head.
    pub(crate) answered: u64,
    /// Finished requests that are errors.
    pub(crate) errors: u64,
}

impl Endpoint {
    pub(crate) fn new(shards: usize) -> Self {
        Self((0..shards).map(|_| EndpointShard::default()).collect())
    }

    /// Counts a request that begins.
    #[inline]
    pub(crate) fn begin(&self, shard: usize) {
        self.0[shard].begun.fetch_add(1, Relaxed);
    }

    /// Removes a request that is excluded after it has begun.
    pub(crate) fn exclude(&self, shard: usize) {
        self.0[shard].begun.fetch_sub(1, Relaxed);
    }

    /// Counts a response head whose body is tracked.
    #[inline]
    pub(crate) fn begin_body(&self, shard: usize) {
        self.0[shard].tracked.fetch_add(1, Relaxed);
    }

    /// Adds one finished request. `bounds` are in nanoseconds, ascending, and the same at each call. Inlined
    /// by hand, as its caller is.
    #[inline(always)]
    pub(crate) fn record(&self, shard: usize, key: Key, nanos: u64, bounds: &[u64]) {
        // Most requests are fast, so a linear search stops early.
        let bucket = bounds
            .iter()
            .position(|&b| nanos <= b)
            .unwrap_or(bounds.len());
        let counters = self.0[shard].series.counters(key, bounds.len() + 2);
        counters.add(SUM, nanos);
        counters.add(SUM + 1 + bucket, 1);
    }

    /// Returns the totals by status code, with `buckets` buckets each.
    pub(crate) fn totals(&self, buckets: usize) -> BTreeMap<u16, Totals> {
        let mut totals = BTreeMap::<u16, Totals>::new();
        for series in self.0.iter().flat_map(|shard| shard.series.iter()) {
            let total = totals.entry(series.key.status()).or_default();
            total.nanos = total.nanos.wrapping_add(series.counters.get(SUM));
            total.buckets.resize(buckets, 0);
            for (index, count) in total.buckets.iter_mut().enumerate() {
                *count += series.counters.get(SUM + 1 + index);
            }
        }
        totals
    }

    /// Returns the number of requests. A request that finishes meanwhile cannot raise the errors above the
    /// answers, or these above the requests that have begun, because each is read before the next.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for shard in &self.0 {
            for Series { key, counters } in shard.series.iter() {
                let requests = counters.sum(SUM + 1);
                if !key.is_tracked() && !key.has_outcome(Outcome::Cancelled) {
                    counts.answered += requests;
                }
                if !key.has_outcome(Outcome::Ok) && !key.has_outcome(Outcome::Cancelled) {
                    counts.errors += requests;
                }
            }
        }
        let sum = |field: fn(&EndpointShard) -> &AtomicU64| -> u64 {
            self.0.iter().map(|shard| field(shard).load(Relaxed)).sum()
        };
        counts.answered += sum(|shard| &shard.tracked);
        counts.begun = sum(|shard| &shard.begun);
        counts
    }
}

impl Chain {
    #[inline]
    fn counters(&self, key: Key, len: usize) -> &ShardCounters {
        for entry in &self.entries {
            match entry.get() {
                Some(series) if series.key == key => return &series.counters,
                Some(_) => {}
                None => break,
            }
        }
        self.find_or_insert(key, len)
    }

    #[cold]
    #[inline(never)]
    fn find_or_insert(&self, key: Key, len: usize) -> &ShardCounters {
        let mut chain = self;
        loop {
            for entry in &chain.entries {
                let series = entry.get_or_init(|| Series {
                    key,
                    counters: ShardCounters::new(len),
                });
                if series.key == key {
                    return &series.counters;
                }
            }
            chain = chain.next.get_or_init(Box::default);
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Series> {
        let links = std::iter::successors(Some(self), |chain| chain.next.get().map(|next| &**next));
        links.flat_map(|chain| chain.entries.iter().filter_map(OnceLock::get))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_sum_every_status_over_shards_and_outcomes() {
        let endpoint = Endpoint::new(2);
        for status in 200..300 {
            for shard in 0..2 {
                let key = |outcome| Key::new(status, outcome, outcome == Outcome::Cancelled);
                endpoint.record(shard, key(Outcome::Ok), 5, &[5, 10]);
                endpoint.record(shard, key(Outcome::Cancelled), 11, &[5, 10]);
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

    #[test]
    fn counts_tell_answers_from_cancellations_and_errors() {
        use Outcome::{BodyError, Cancelled, Error, Ok, Panic};
        let endpoint = Endpoint::new(2);
        let finish = |status, outcome, tracked| {
            endpoint.begin(0);
            if tracked {
                endpoint.begin_body(0);
            }
            endpoint.record(1, Key::new(status, outcome, tracked), 1, &[5]);
        };
        for (status, outcome) in [(200, Ok), (999, Error), (500, Panic), (0, Cancelled)] {
            finish(status, outcome, false);
        }
        for outcome in [Ok, Error, Panic, Cancelled, BodyError] {
            finish(200, outcome, true);
        }
        endpoint.begin(1);
        endpoint.begin(1);
        endpoint.exclude(0);
        let expected = Counts {
            begun: 10,
            answered: 8,
            errors: 5,
        };
        assert_eq!(endpoint.counts(), expected);
    }
}
