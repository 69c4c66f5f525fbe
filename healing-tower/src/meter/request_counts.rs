//! Counts of all requests by outcome and duration, per shard.
//!
//! A request without a tracked body finishes with its response head, so the head has no counter of its own.
//! A tracked head is counted when it is sent, and its request, when it finishes, in a histogram apart.

use super::durations::{BUCKETS, BucketCounts};
use super::in_flight::InFlightSlots;
use super::outcome::Outcome;
use super::sharded;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts of one meter.
pub(super) struct RequestCounts(Box<[Shard]>);

/// Counts of one shard (see [`super::sharded`]).
#[repr(align(128))]
pub(super) struct Shard {
    /// Durations of the requests that finished with their head, or panicked before it.
    with_head: Durations,
    /// Durations of the requests with a tracked body.
    with_body: Durations,
    /// Durations of the requests that were cancelled before their head.
    before_head: Durations,
    /// Response heads with a tracked body, those without and those with an error.
    pub(super) tracked_heads: [AtomicU64; 2],
    /// Requests by outcome other than [`Outcome::Ok`], without and with a tracked body.
    pub(super) failures: [[AtomicU64; Outcome::COUNT]; 2],
    pub(super) in_flight: InFlightSlots,
}

pub(super) type Durations = [AtomicU64; BUCKETS];

impl Shard {
    const fn new() -> Self {
        Self {
            with_head: [const { AtomicU64::new(0) }; BUCKETS],
            with_body: [const { AtomicU64::new(0) }; BUCKETS],
            before_head: [const { AtomicU64::new(0) }; BUCKETS],
            tracked_heads: [const { AtomicU64::new(0) }; 2],
            failures: [const { [const { AtomicU64::new(0) }; Outcome::COUNT] }; 2],
            in_flight: InFlightSlots::new(),
        }
    }

    /// Returns the histogram in which a finished request counts.
    #[inline]
    pub(super) fn finished(&self, outcome: Outcome, tracked: bool) -> &Durations {
        match (tracked, outcome) {
            (true, _) => &self.with_body,
            (false, Outcome::Cancelled) => &self.before_head,
            (false, _) => &self.with_head,
        }
    }
}

impl RequestCounts {
    pub(super) fn new() -> Self {
        Self((0..sharded::shard_count()).map(|_| Shard::new()).collect())
    }

    /// Returns the number of shards.
    pub(super) fn shards(&self) -> usize {
        self.0.len()
    }

    /// Returns the index of this thread's shard, and the shard.
    #[inline]
    pub(super) fn of_thread(&self) -> (usize, &Shard) {
        sharded::of_thread(&self.0)
    }

    fn sum(&self, field: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        let counters = self.0.iter().map(field);
        counters.map(|counter| counter.load(Relaxed)).sum()
    }

    fn sum_buckets(&self, field: impl Fn(&Shard) -> &Durations) -> u64 {
        let buckets = self.0.iter().flat_map(field);
        buckets.map(|count| count.load(Relaxed)).sum()
    }

    fn failures(&self, outcome: Outcome, tracked: bool) -> u64 {
        self.sum(|shard| &shard.failures[usize::from(tracked)][outcome as usize])
    }

    /// Returns the number of requests with this outcome, which is not [`Outcome::Ok`].
    pub(super) fn outcomes(&self, outcome: Outcome) -> u64 {
        self.failures(outcome, false) + self.failures(outcome, true)
    }

    /// Returns the errors of any kind.
    pub(super) fn errors(&self) -> u64 {
        let errors = [Outcome::Error, Outcome::Panic, Outcome::BodyError];
        errors.map(|outcome| self.outcomes(outcome)).iter().sum()
    }

    /// Returns the response heads, and the panics before a head.
    pub(super) fn answered(&self) -> u64 {
        self.sum_buckets(|shard| &shard.with_head)
            + self.sum(|shard| &shard.tracked_heads[0])
            + self.sum(|shard| &shard.tracked_heads[1])
    }

    /// Returns the answers that are errors.
    pub(super) fn answered_errors(&self) -> u64 {
        self.failures(Outcome::Error, false)
            + self.failures(Outcome::Panic, false)
            + self.sum(|shard| &shard.tracked_heads[1])
    }

    /// Returns the requests that were cancelled before their head.
    pub(super) fn cancelled_before_head(&self) -> u64 {
        self.failures(Outcome::Cancelled, false)
    }

    /// Returns the number of requests in flight whose head has been sent.
    pub(super) fn open_bodies(&self) -> u64 {
        let finished = self.sum_buckets(|shard| &shard.with_body);
        let begun =
            self.sum(|shard| &shard.tracked_heads[0]) + self.sum(|shard| &shard.tracked_heads[1]);
        begun.saturating_sub(finished)
    }

    /// Returns the durations of all finished requests.
    pub(super) fn durations(&self) -> BucketCounts {
        std::array::from_fn(|bucket| {
            self.sum(|shard| &shard.with_head[bucket])
                + self.sum(|shard| &shard.with_body[bucket])
                + self.sum(|shard| &shard.before_head[bucket])
        })
    }

    pub(super) fn in_flight_slots(&self) -> impl Iterator<Item = &InFlightSlots> + Clone {
        self.0.iter().map(|shard| &shard.in_flight)
    }
}
