//! Which requests are open: how many, and since when the slowest one.
//!
//! Time is cut into slots, a new one at each tick of the care thread. A request counts up the slot in
//! which it started, and counts down the same slot when it ends, on whichever thread that happens;
//! only the sum over the shards means anything. So the gauge and the start of the oldest open request
//! cost an addition each way, in constant memory.
//!
//! The slots come round after [`SLOTS`] ticks (nine minutes at four a second), and then old and new
//! requests of one slot cannot be told apart. So there is a second ring, of minutes, which comes round
//! after 34 hours: it tells the age of a request that is older than a round of ticks.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// How many slots a ring has.
const SLOTS: usize = 2048;
/// How long a slot of the slow ring lasts.
const LONG: Duration = Duration::from_secs(60);

/// A slot of each ring, in one number: the quick one's in the lower half.
pub(crate) type Slot = u32;

fn quick(slot: Slot) -> usize {
    slot as usize % SLOTS
}

fn slow(slot: Slot) -> usize {
    (slot >> 16) as usize % SLOTS
}

/// The open requests that one shard knows of.
pub(crate) struct OpenSlots {
    quick: Counts,
    slow: Counts,
}

type Counts = [AtomicU32; SLOTS];

impl OpenSlots {
    pub(crate) const fn new() -> Self {
        Self {
            quick: [const { AtomicU32::new(0) }; SLOTS],
            slow: [const { AtomicU32::new(0) }; SLOTS],
        }
    }

    /// A request has started in this slot.
    #[inline]
    pub(crate) fn opened(&self, slot: Slot) {
        self.quick[quick(slot)].fetch_add(1, Relaxed);
        self.slow[slow(slot)].fetch_add(1, Relaxed);
    }

    /// One that started in this slot has ended.
    #[inline]
    pub(crate) fn closed(&self, slot: Slot) {
        self.quick[quick(slot)].fetch_sub(1, Relaxed);
        self.slow[slow(slot)].fetch_sub(1, Relaxed);
    }
}

/// Open requests by slot of one ring, summed over the shards. Reading is not atomic as a whole, so a
/// request that ends on another thread while it is read may show, or its slot seem below zero: then
/// as none.
fn sums<'a>(shards: impl Iterator<Item = &'a Counts>) -> Box<[u32]> {
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

/// How many requests are open.
pub(crate) fn count<'a>(shards: impl Iterator<Item = &'a OpenSlots>) -> u64 {
    total(&sums(shards.map(|shard| &shard.quick)))
}

/// Turns from slot to slot, and finds the oldest open request on the way.
#[derive(Default)]
pub(crate) struct Turns {
    quick: Ring,
    slow: Ring,
}

struct Ring {
    /// The slot in which requests start now.
    current: usize,
    /// When each slot was last left; of the current one, when it was last looked at.
    left: Box<[Duration]>,
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            current: 0,
            left: vec![Duration::ZERO; SLOTS].into_boxed_slice(),
        }
    }
}

impl Ring {
    /// When requests began to start in a slot.
    fn begun(&self, slot: usize) -> Duration {
        self.left[(slot + SLOTS - 1) % SLOTS]
    }

    /// Since when its slots hold nothing older: then that which comes next was left.
    fn horizon(&self) -> Duration {
        self.left[(self.current + 1) % SLOTS]
    }

    /// The oldest slot with an open request.
    fn oldest(&self, counts: &[u32]) -> Option<usize> {
        let mut by_age = (1..=SLOTS).map(|after| (self.current + after) % SLOTS);
        by_age.find(|&slot| counts[slot] > 0)
    }

    fn turn(&mut self) {
        self.current = (self.current + 1) % SLOTS;
    }
}

impl Turns {
    /// Takes a look at `now`, then makes requests start in the next slot. Returns how many are open
    /// and the age of the oldest: that which it has for certain, less than a slot of its ring below
    /// the truth.
    pub(crate) fn turn<'a>(
        &mut self,
        now: Duration,
        shards: impl Iterator<Item = &'a OpenSlots> + Clone,
        slot: &AtomicU32,
    ) -> (u64, Option<Duration>) {
        let quick = sums(shards.clone().map(|shard| &shard.quick));
        let slow = sums(shards.map(|shard| &shard.slow));
        for ring in [&mut self.quick, &mut self.slow] {
            ring.left[ring.current] = now;
        }
        let left = match self.slow.oldest(&slow) {
            Some(slot) if self.slow.begun(slot) < self.quick.horizon() => {
                Some(self.slow.left[slot])
            }
            _ => self.quick.oldest(&quick).map(|slot| self.quick.left[slot]),
        };
        self.quick.turn();
        if now.saturating_sub(self.slow.begun(self.slow.current)) >= LONG {
            self.slow.turn();
        }
        let both = self.slow.current << 16 | self.quick.current;
        slot.store(u32::try_from(both).unwrap_or(0), Relaxed);
        (total(&quick), left.map(|left| now.saturating_sub(left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u32) -> Duration {
        Duration::from_secs(seconds.into())
    }

    #[test]
    fn the_oldest_is_found_and_forgotten() {
        let (a, b) = (OpenSlots::new(), OpenSlots::new());
        let (mut turns, slot) = (Turns::default(), AtomicU32::new(0));
        let mut turn = |at| turns.turn(seconds(at), [&a, &b].into_iter(), &slot);
        assert_eq!(turn(1), (0, None));
        let first = slot.load(Relaxed);
        a.opened(first);
        assert_eq!(turn(2), (1, Some(seconds(0))));
        let second = slot.load(Relaxed);
        a.opened(second);
        assert_eq!(turn(5), (2, Some(seconds(3))));
        b.closed(first); // ended on another thread
        assert_eq!(turn(6), (1, Some(seconds(1))));
        b.closed(second);
        assert_eq!(turn(7), (0, None));
        assert_eq!(count([&a, &b].into_iter()), 0);
    }

    /// The age that is told of a request that started at second 0 and is open still, beside short ones
    /// in every slot.
    #[test]
    fn one_that_is_older_than_a_round_stays_the_oldest() {
        let shard = OpenSlots::new();
        let (mut turns, slot) = (Turns::default(), AtomicU32::new(0));
        shard.opened(0);
        let rounds = u32::try_from(3 * SLOTS).unwrap();
        for second in 0..rounds {
            let short = slot.load(Relaxed);
            shard.opened(short);
            let (_, age) = turns.turn(seconds(second), [&shard].into_iter(), &slot);
            shard.closed(short);
            let age = age.unwrap();
            assert!(age <= seconds(second) && age + LONG >= seconds(second));
        }
        shard.closed(0);
        let (open, age) = turns.turn(seconds(rounds), [&shard].into_iter(), &slot);
        assert_eq!((open, age), (0, None));
    }

    #[test]
    fn steady_streams_that_outlast_a_round_do_not_add_up() {
        let shard = OpenSlots::new();
        let (mut turns, slot) = (Turns::default(), AtomicU32::new(0));
        let lasts = SLOTS + SLOTS / 5;
        let mut streams = std::collections::VecDeque::new();
        for second in 0..6 * SLOTS {
            shard.opened(slot.load(Relaxed));
            streams.push_back(slot.load(Relaxed));
            if streams.len() > lasts {
                shard.closed(streams.pop_front().unwrap());
            }
            let now = seconds(second.try_into().unwrap());
            let (open, age) = turns.turn(now, [&shard].into_iter(), &slot);
            assert_eq!(open, streams.len() as u64);
            let oldest = seconds((streams.len() - 1).try_into().unwrap());
            assert!(
                age.unwrap() <= oldest && age.unwrap() + LONG >= oldest,
                "{age:?}"
            );
        }
    }
}
