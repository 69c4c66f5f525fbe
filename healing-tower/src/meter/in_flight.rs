//! Number of requests in flight, and the start of the oldest.
//!
//! A request increments the slot that is current when it starts, and decrements the same slot when it
//! finishes, possibly on another thread; only the sum over the shards is meaningful. The gauge and the
//! start of the oldest request therefore cost one addition at the start and one at the finish of a
//! request, in constant memory.
//!
//! At each tick of the meter the next free slot becomes current. A slot with a request in flight is never
//! taken again, so the time at which it was current still tells the age of that request. If many slots
//! hold long requests, new ones stay current for several ticks. At four ticks per second, streams that
//! begin all the time occupy every slot only if they last for more than twelve hours.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// Number of slots.
const SLOTS: usize = 4096;

/// Index of a slot.
pub(crate) type Slot = u32;

/// In-flight requests counted by one shard, by slot.
pub(crate) struct InFlightSlots([AtomicU32; SLOTS]);

impl InFlightSlots {
    pub(crate) const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; SLOTS])
    }

    /// Counts a request that starts in `slot`.
    #[inline]
    pub(crate) fn increment(&self, slot: Slot) {
        self.0[slot as usize % SLOTS].fetch_add(1, Relaxed);
    }

    /// Removes a request that started in `slot`.
    #[inline]
    pub(crate) fn decrement(&self, slot: Slot) {
        self.0[slot as usize % SLOTS].fetch_sub(1, Relaxed);
    }
}

/// Sums each slot over the shards. The read is not atomic as a whole, so a request that finishes on
/// another thread during the read may still be counted, or its slot's sum may be negative; such a sum
/// counts as zero.
fn sum_shards<'a>(shards: impl Iterator<Item = &'a InFlightSlots>) -> Box<[u32]> {
    let mut sums = vec![0u32; SLOTS].into_boxed_slice();
    for shard in shards {
        for (sum, count) in sums.iter_mut().zip(&shard.0) {
            *sum = sum.wrapping_add(count.load(Relaxed));
        }
    }
    for sum in &mut sums {
        if *sum > u32::MAX / 2 {
            *sum = 0;
        }
    }
    sums
}

fn total(sums: &[u32]) -> u64 {
    sums.iter().copied().map(u64::from).sum()
}

/// Returns the number of requests in flight.
pub(crate) fn count<'a>(shards: impl Iterator<Item = &'a InFlightSlots>) -> u64 {
    total(&sum_shards(shards))
}

/// Times of the slots, as the care thread rotates them.
pub(crate) struct Rotation {
    /// Slot of the requests that start now.
    current: usize,
    /// Number of ticks since the first request of the current slot.
    ticks: u32,
    /// Time until which each slot was current; for the current slot, the time of the last tick.
    until: Box<[Duration]>,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            current: 0,
            ticks: 0,
            until: vec![Duration::ZERO; SLOTS].into_boxed_slice(),
        }
    }
}

impl Rotation {
    /// Reads the slots at `now`, then directs new requests to a free slot. Returns the number of requests
    /// in flight and the age of the oldest, underestimated by at most the time for which its slot was
    /// current.
    pub(crate) fn rotate<'a>(
        &mut self,
        now: Duration,
        shards: impl Iterator<Item = &'a InFlightSlots>,
        slot: &AtomicU32,
    ) -> (u64, Option<Duration>) {
        let counts = sum_shards(shards);
        self.until[self.current] = now;
        let in_use = || (0..SLOTS).filter(|&slot| counts[slot] > 0);
        let started_before = in_use().map(|slot| self.until[slot]).min();
        if counts[self.current] > 0 {
            self.ticks += 1;
            if self.ticks >= ticks_per_slot(in_use().count()) {
                self.advance(&counts);
            }
        } else {
            self.ticks = 0;
        }
        slot.store(Slot::try_from(self.current).unwrap_or(0), Relaxed);
        let age = started_before.map(|start| now.saturating_sub(start));
        (total(&counts), age)
    }

    /// Makes the next free slot current; the current one stays so if none is free.
    fn advance(&mut self, counts: &[u32]) {
        let mut others = (1..SLOTS).map(|after| (self.current + after) % SLOTS);
        if let Some(free) = others.find(|&slot| counts[slot] == 0) {
            self.current = free;
            self.ticks = 0;
        }
    }
}

/// Returns the number of ticks for which a slot stays current: one while less than half of the slots are
/// in use, and four times as many for each further eighth.
fn ticks_per_slot(in_use: usize) -> u32 {
    const EIGHTH: usize = SLOTS / 8;
    let beyond_half = (in_use / EIGHTH).saturating_sub(3);
    4u32.saturating_pow(u32::try_from(beyond_half).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: usize) -> Duration {
        Duration::from_secs(seconds.try_into().unwrap())
    }

    #[test]
    fn oldest_request_is_reported_until_it_finishes() {
        let (a, b) = (InFlightSlots::new(), InFlightSlots::new());
        let (mut rotation, slot) = (Rotation::default(), AtomicU32::new(0));
        let mut rotate = |at| rotation.rotate(seconds(at), [&a, &b].into_iter(), &slot);
        assert_eq!(rotate(1), (0, None));
        let first = slot.load(Relaxed);
        a.increment(first);
        assert_eq!(rotate(2), (1, Some(seconds(0))));
        let second = slot.load(Relaxed);
        a.increment(second);
        assert_eq!(rotate(5), (2, Some(seconds(3))));
        b.decrement(first); // finished on another thread
        assert_eq!(rotate(6), (1, Some(seconds(1))));
        b.decrement(second);
        assert_eq!(rotate(7), (0, None));
        assert_eq!(count([&a, &b].into_iter()), 0);
    }

    /// A request in flight since second 0, next to a short one in every slot.
    #[test]
    fn oldest_request_stays_oldest_after_every_slot_was_used() {
        let shard = InFlightSlots::new();
        let (mut rotation, slot) = (Rotation::default(), AtomicU32::new(0));
        shard.increment(0);
        for second in 1..=SLOTS + SLOTS / 8 {
            let short = slot.load(Relaxed);
            shard.increment(short);
            let (_, age) = rotation.rotate(seconds(second), [&shard].into_iter(), &slot);
            shard.decrement(short);
            assert_eq!(age, Some(seconds(second - 1)));
        }
        shard.decrement(0);
        let (in_flight, age) = rotation.rotate(seconds(2 * SLOTS), [&shard].into_iter(), &slot);
        assert_eq!((in_flight, age), (0, None));
    }

    #[test]
    fn age_error_grows_with_the_length_of_steady_streams() {
        for (length, error) in [(SLOTS / 2, 1), (SLOTS * 5 / 4, 16)] {
            let shard = InFlightSlots::new();
            let (mut rotation, slot) = (Rotation::default(), AtomicU32::new(0));
            let mut streams = std::collections::VecDeque::new();
            for second in 0..length + SLOTS / 4 {
                shard.increment(slot.load(Relaxed));
                streams.push_back(slot.load(Relaxed));
                if streams.len() > length {
                    shard.decrement(streams.pop_front().unwrap());
                }
                let (in_flight, age) =
                    rotation.rotate(seconds(second), [&shard].into_iter(), &slot);
                assert_eq!(in_flight, streams.len() as u64);
                let oldest = seconds(streams.len() - 1);
                assert!(
                    age.is_some_and(|age| age <= oldest && age + seconds(error) >= oldest),
                    "{age:?} instead of {oldest:?} in streams of {length} s"
                );
            }
        }
    }
}
