//! Sharded counters, one set per shard, so that two workers do not write to one cache line.
//!
//! A thread is assigned its shard when it first records, in turn. With at least as many shards as cores,
//! workers of a runtime do not share one. If threads do share a shard, its counts stay
//! correct, because every write is an atomic addition, but writing is slower. Readers sum the shards.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Counters aligned to 128 bytes, because the adjacent-line prefetcher fetches pairs of 64-byte lines.
#[derive(Default)]
#[repr(align(128))]
struct CacheLine([AtomicU64; 16]);

/// Fixed number of counters of one shard, which share no cache line with other data.
pub(crate) struct ShardCounters(Box<[CacheLine]>);

impl ShardCounters {
    /// Creates `len` counters at zero.
    pub(crate) fn new(len: usize) -> Self {
        Self(
            (0..len.div_ceil(16))
                .map(|_| CacheLine::default())
                .collect(),
        )
    }

    /// Adds to one counter.
    #[inline]
    pub(crate) fn add(&self, index: usize, value: u64) {
        let Some(first) = self.0.first() else { return };
        // The default buckets fit into one line, which then needs no division.
        let counter = first.0.get(index).or_else(|| self.counter(index));
        if let Some(counter) = counter {
            counter.fetch_add(value, Relaxed);
        }
    }

    /// Returns the sum of the counters from `first` on.
    pub(crate) fn sum(&self, first: usize) -> u64 {
        let counters = self.0.iter().flat_map(|line| &line.0);
        counters
            .skip(first)
            .map(|counter| counter.load(Relaxed))
            .sum()
    }

    /// Returns the value of one counter.
    pub(crate) fn get(&self, index: usize) -> u64 {
        self.counter(index)
            .map_or(0, |counter| counter.load(Relaxed))
    }

    #[inline(never)]
    fn counter(&self, index: usize) -> Option<&AtomicU64> {
        let line = self.0.get(index / 16)?;
        Some(&line.0[index % 16])
    }
}

/// Returns the number of shards, at least twice the number of threads that record at once; it never
/// changes.
pub(crate) fn shard_count() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(4, usize::from);
        (2 * cores).next_power_of_two().clamp(4, 64)
    })
}

thread_local!(static SHARD: Cell<usize> = const { Cell::new(usize::MAX) });

/// Returns the index of this thread's shard, and its element of `shards`, which has one per shard.
#[inline]
pub(crate) fn of_thread<T>(shards: &[T]) -> (usize, &T) {
    let index = SHARD.get();
    match shards.get(index) {
        Some(shard) => (index, shard),
        None => first_of_thread(shards),
    }
}

/// Assigns a shard to this thread.
#[cold]
#[inline(never)]
fn first_of_thread<T>(shards: &[T]) -> (usize, &T) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let index = NEXT.fetch_add(1, Relaxed) % shard_count();
    SHARD.set(index);
    (index, &shards[index])
}
