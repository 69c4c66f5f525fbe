//! Which requests are open: how many, and since when the slowest one.
//!
//! Time is cut into slots, a new one at each tick of the care thread. A request counts up the slot in
//! which it started, and counts down the same slot when it ends, on whichever thread that happens;
//! only the sum over the shards means anything. So the gauge and the start of the oldest open request
//! cost one addition each way, in constant memory. The slots come round after [`SLOTS`] ticks (nine
//! minutes at four a second): see [`Turns`] for requests that are older than that.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// How many slots there are.
const SLOTS: u32 = 2048;

/// The open requests that one shard knows of.
pub(crate) struct OpenSlots([AtomicU32; SLOTS as usize]);

impl OpenSlots {
    pub(crate) const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; SLOTS as usize])
    }

    /// A request has started in this slot.
    #[inline]
    pub(crate) fn opened(&self, slot: u32) {
        self.0[(slot % SLOTS) as usize].fetch_add(1, Relaxed);
    }

    /// One that started in this slot has ended.
    #[inline]
    pub(crate) fn closed(&self, slot: u32) {
        self.0[(slot % SLOTS) as usize].fetch_sub(1, Relaxed);
    }
}

/// Open requests by slot, summed over the shards. Reading is not atomic as a whole, so a request
/// that ends on another thread while it is read may show, or its slot seem below zero: then as none.
fn sums<'a>(shards: impl Iterator<Item = &'a OpenSlots>) -> Box<[u32]> {
    let mut sums = vec![0u32; SLOTS as usize].into_boxed_slice();
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

/// How many requests are open.
pub(crate) fn count<'a>(shards: impl Iterator<Item = &'a OpenSlots>) -> u64 {
    total(&sums(shards))
}

/// Turns from slot to slot, and finds the oldest open request on the way.
///
/// What is in a slot just before it is used again must be a whole round old: it is carried over as a
/// residue. Newer requests then share its slot, and which of them end cannot be told apart; but they
/// end soon, and whenever the slot holds fewer than its residue, the residue shrinks to that.
pub(crate) struct Turns {
    /// The slot in which requests start now.
    current: u32,
    /// When each slot was last left.
    left: Box<[Duration]>,
    residues: Box<[Residue]>,
}

#[derive(Clone, Copy, Default)]
struct Residue {
    count: u32,
    /// When the slot in which they started was left.
    left: Duration,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self {
            current: 0,
            left: vec![Duration::ZERO; SLOTS as usize].into_boxed_slice(),
            residues: vec![Residue::default(); SLOTS as usize].into_boxed_slice(),
        }
    }

    /// Takes a look at `now`, then makes requests start in the next slot. Returns how many are open
    /// and the age of the oldest: that which it has for certain, less than a slot below the truth.
    pub(crate) fn turn<'a>(
        &mut self,
        now: Duration,
        shards: impl Iterator<Item = &'a OpenSlots>,
        slot: &AtomicU32,
    ) -> (u64, Option<Duration>) {
        let counts = sums(shards);
        self.left[self.current as usize] = now;
        let mut oldest: Option<Duration> = None;
        for (index, (residue, &count)) in self.residues.iter_mut().zip(&counts).enumerate() {
            residue.count = residue.count.min(count);
            let left = if residue.count > 0 {
                residue.left
            } else {
                self.left[index]
            };
            if count > 0 {
                oldest = Some(oldest.map_or(left, |oldest| oldest.min(left)));
            }
        }

        self.current = (self.current + 1) % SLOTS;
        let next = self.current as usize;
        let residue = &mut self.residues[next];
        if residue.count == 0 {
            *residue = Residue {
                count: counts[next],
                left: self.left[next],
            };
        }
        slot.store(self.current, Relaxed);
        (total(&counts), oldest.map(|left| now.saturating_sub(left)))
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
        let (mut turns, slot) = (Turns::new(), AtomicU32::new(0));
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

    #[test]
    fn one_that_is_older_than_a_round_stays_the_oldest() {
        let shard = OpenSlots::new();
        let (mut turns, slot) = (Turns::new(), AtomicU32::new(0));
        shard.opened(0);
        for second in 0..3 * SLOTS {
            // Short requests come and go in every slot meanwhile.
            let short = slot.load(Relaxed);
            shard.opened(short);
            let (_, age) = turns.turn(seconds(second), [&shard].into_iter(), &slot);
            shard.closed(short);
            assert_eq!(age, Some(seconds(second)));
        }
        shard.closed(0);
        let (open, age) = turns.turn(seconds(3 * SLOTS), [&shard].into_iter(), &slot);
        assert_eq!((open, age), (0, None));
    }
}
