//! Number of requests in flight, and the start of the oldest.
//!
//! Time is divided into slots, one per tick of the meter. A request increments the slot in which it
//! starts, and decrements the same slot when it finishes, possibly on another thread; only the sum over
//! the shards is meaningful. The gauge and the start of the oldest request therefore cost one addition
//! per ring at the start and at the finish of a request, in constant memory.
//!
//! The ring of tick slots wraps around after [`SLOTS`] ticks (nine minutes at four per second), and then
//! old and new requests of one slot cannot be distinguished. A second ring, of minutes, wraps around
//! after 34 hours and gives the age of a request that is older than a full turn of the first ring.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// Number of slots in a ring.
const SLOTS: usize = 2048;
/// Length of a slot of the minute ring.
const MINUTE: Duration = Duration::from_secs(60);

/// One slot of each ring, in one number; the slot of the tick ring is in the lower half.
pub(crate) type Slot = u32;

fn tick_slot(slot: Slot) -> usize {
    slot as usize % SLOTS
}

fn minute_slot(slot: Slot) -> usize {
    (slot >> 16) as usize % SLOTS
}

/// In-flight requests counted by one shard.
pub(crate) struct InFlightSlots {
    ticks: SlotCounts,
    minutes: SlotCounts,
}

type SlotCounts = [AtomicU32; SLOTS];

impl InFlightSlots {
    pub(crate) const fn new() -> Self {
        Self {
            ticks: [const { AtomicU32::new(0) }; SLOTS],
            minutes: [const { AtomicU32::new(0) }; SLOTS],
        }
    }

    /// Counts a request that starts in `slot`.
    #[inline]
    pub(crate) fn increment(&self, slot: Slot) {
        self.ticks[tick_slot(slot)].fetch_add(1, Relaxed);
        self.minutes[minute_slot(slot)].fetch_add(1, Relaxed);
    }

    /// Removes a request that started in `slot`.
    #[inline]
    pub(crate) fn decrement(&self, slot: Slot) {
        self.ticks[tick_slot(slot)].fetch_sub(1, Relaxed);
        self.minutes[minute_slot(slot)].fetch_sub(1, Relaxed);
    }
}

/// Sums the slots of one ring over the shards. The read is not atomic as a whole, so a request that
/// finishes on another thread during the read may still be counted, or its slot's sum may be negative; such
/// a sum counts as zero.
fn sum_shards<'a>(shards: impl Iterator<Item = &'a SlotCounts>) -> Box<[u32]> {
    let mut sums = vec![0u32; SLOTS].into_boxed_slice();
    for shard in shards {
        for (sum, count) in sums.iter_mut().zip(shard) {
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
    total(&sum_shards(shards.map(|shard| &shard.ticks)))
}

/// Both rings of slots, as the care thread rotates them.
#[derive(Default)]
pub(crate) struct Rings {
    ticks: Ring,
    minutes: Ring,
}

struct Ring {
    /// Slot of the requests that start now.
    current: usize,
    /// Time at which each slot was last in use; for the current slot, the time of the last rotation.
    last_used: Box<[Duration]>,
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            current: 0,
            last_used: vec![Duration::ZERO; SLOTS].into_boxed_slice(),
        }
    }
}

impl Ring {
    /// Returns the time at which `slot` became current.
    fn began(&self, slot: usize) -> Duration {
        self.last_used[(slot + SLOTS - 1) % SLOTS]
    }

    /// Returns the time before which a start is not in this ring.
    fn horizon(&self) -> Duration {
        self.last_used[(self.current + 1) % SLOTS]
    }

    /// Returns the oldest slot with a request in flight.
    fn oldest(&self, counts: &[u32]) -> Option<usize> {
        let mut by_age = (1..=SLOTS).map(|after| (self.current + after) % SLOTS);
        by_age.find(|&slot| counts[slot] > 0)
    }

    fn advance(&mut self) {
        self.current = (self.current + 1) % SLOTS;
    }
}

impl Rings {
    /// Reads the slots at `now`, then directs new requests to the next slot. Returns the number of
    /// requests in flight and the age of the oldest, underestimated by less than one slot of the ring
    /// in which it was found.
    pub(crate) fn rotate<'a>(
        &mut self,
        now: Duration,
        shards: impl Iterator<Item = &'a InFlightSlots> + Clone,
        slot: &AtomicU32,
    ) -> (u64, Option<Duration>) {
        let ticks = sum_shards(shards.clone().map(|shard| &shard.ticks));
        let minutes = sum_shards(shards.map(|shard| &shard.minutes));
        for ring in [&mut self.ticks, &mut self.minutes] {
            ring.last_used[ring.current] = now;
        }
        let started_before = match self.minutes.oldest(&minutes) {
            Some(slot) if self.minutes.began(slot) < self.ticks.horizon() => {
                Some(self.minutes.last_used[slot])
            }
            _ => self
                .ticks
                .oldest(&ticks)
                .map(|slot| self.ticks.last_used[slot]),
        };
        self.ticks.advance();
        if now.saturating_sub(self.minutes.began(self.minutes.current)) >= MINUTE {
            self.minutes.advance();
        }
        let both = self.minutes.current << 16 | self.ticks.current;
        slot.store(u32::try_from(both).unwrap_or(0), Relaxed);
        let age = started_before.map(|start| now.saturating_sub(start));
        (total(&ticks), age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u32) -> Duration {
        Duration::from_secs(seconds.into())
    }

    #[test]
    fn oldest_request_is_reported_until_it_finishes() {
        let (a, b) = (InFlightSlots::new(), InFlightSlots::new());
        let (mut rings, slot) = (Rings::default(), AtomicU32::new(0));
        let mut rotate = |at| rings.rotate(seconds(at), [&a, &b].into_iter(), &slot);
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
    fn oldest_request_stays_oldest_after_tick_ring_wraps() {
        let shard = InFlightSlots::new();
        let (mut rings, slot) = (Rings::default(), AtomicU32::new(0));
        shard.increment(0);
        let ticks = u32::try_from(3 * SLOTS).unwrap();
        for second in 0..ticks {
            let short = slot.load(Relaxed);
            shard.increment(short);
            let (_, age) = rings.rotate(seconds(second), [&shard].into_iter(), &slot);
            shard.decrement(short);
            let age = age.unwrap();
            assert!(age <= seconds(second) && age + MINUTE >= seconds(second));
        }
        shard.decrement(0);
        let (in_flight, age) = rings.rotate(seconds(ticks), [&shard].into_iter(), &slot);
        assert_eq!((in_flight, age), (0, None));
    }

    #[test]
    fn age_stays_bounded_under_steady_streams_longer_than_tick_ring() {
        let shard = InFlightSlots::new();
        let (mut rings, slot) = (Rings::default(), AtomicU32::new(0));
        let length = SLOTS + SLOTS / 5;
        let mut streams = std::collections::VecDeque::new();
        for second in 0..6 * SLOTS {
            shard.increment(slot.load(Relaxed));
            streams.push_back(slot.load(Relaxed));
            if streams.len() > length {
                shard.decrement(streams.pop_front().unwrap());
            }
            let now = seconds(second.try_into().unwrap());
            let (in_flight, age) = rings.rotate(now, [&shard].into_iter(), &slot);
            assert_eq!(in_flight, streams.len() as u64);
            let oldest = seconds((streams.len() - 1).try_into().unwrap());
            assert!(
                age.unwrap() <= oldest && age.unwrap() + MINUTE >= oldest,
                "{age:?}"
            );
        }
    }
}
