//! Sharded counters, one set per shard, so that two workers do not write to one cache line.
//!
//! A thread is numbered when it first records; its number selects the shard. With at least as many
//! shards as cores, workers of a runtime do not share one. If threads do share a shard, its counts stay
//! correct, because every write is an atomic addition, but writing is slower. Readers sum the shards.

use std::cell::Cell;
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
        if let Some(line) = self.0.get(index / 16) {
            line.0[index % 16].fetch_add(value, Relaxed);
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
        (self.0.get(index / 16)).map_or(0, |line| line.0[index % 16].load(Relaxed))
    }
}

/// Returns the number of shards, a power of two above the number of threads that record at once.
pub(crate) fn shard_count() -> usize {
    let cores = std::thread::available_parallelism().map_or(4, usize::from);
    (2 * cores).next_power_of_two().clamp(4, 64)
}

/// Returns the number of this thread among those that have recorded anything.
#[inline]
pub(crate) fn thread_number() -> usize {
    thread_local!(static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) });
    NUMBER.with(|number| match number.get() {
        usize::MAX => {
            static NEXT: AtomicUsize = AtomicUsize::new(0);
            let new = NEXT.fetch_add(1, Relaxed);
            number.set(new);
            new
        }
        known => known,
    })
}
