//! Which requests are open: how many, and since when the slowest one.
//!
//! A request counts up the slot of the tenth of a second in which it started, and counts down the
//! same slot when it ends, on whichever thread that happens; only the sum over the shards means
//! anything. So the gauge and the start of the oldest open request cost one addition each way, in
//! constant memory. The slots come round after 275 s: see [`Oldest`] for what is older than that.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// log2 of a slot's width in nanoseconds: 2^27 ns = 134 ms.
const WIDTH: u32 = 27;
/// How many slots there are.
const SLOTS: usize = 2048;
/// After this time (275 s) a slot is used again.
#[cfg(test)]
const LAP: Duration = Duration::from_nanos((SLOTS as u64) << WIDTH);

/// The open requests that one shard knows of.
pub(crate) struct OpenSlots([AtomicU32; SLOTS]);

impl OpenSlots {
    pub(crate) const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; SLOTS])
    }

    /// A request that started at `nanos` after the meter's own start.
    #[inline]
    pub(crate) fn opened(&self, nanos: u64) {
        self.0[slot(nanos)].fetch_add(1, Relaxed);
    }

    /// The request that started then has ended.
    #[inline]
    pub(crate) fn closed(&self, nanos: u64) {
        self.0[slot(nanos)].fetch_sub(1, Relaxed);
    }
}

#[inline]
fn slot(nanos: u64) -> usize {
    ((nanos >> WIDTH) % SLOTS as u64) as usize
}

/// Open requests by slot, summed over the shards. Reading is not atomic as a whole, so a request
/// that moves while it is read may show as one too many or, below zero, as none.
fn sums<'a>(shards: impl Iterator<Item = &'a OpenSlots>) -> Box<[u32]> {
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

/// How many requests are open.
pub(crate) fn count<'a>(shards: impl Iterator<Item = &'a OpenSlots>) -> u64 {
    sums(shards).iter().copied().map(u64::from).sum()
}

/// Finds the oldest open request, also one that is older than a lap.
///
/// When a slot is about to be used again, what is still in it must be a lap old: it is carried over
/// as a residue. Newer requests then share its slot, and which of them end cannot be told apart; but
/// they end soon, and as often as the slot holds fewer than the residue, the residue shrinks to that.
pub(crate) struct Oldest {
    residues: Box<[Residue]>,
    /// The number (not the slot) of the last slot that was begun.
    begun: u64,
}

#[derive(Clone, Copy, Default)]
struct Residue {
    count: u32,
    /// Number of the slot in which it started.
    number: u64,
}

impl Oldest {
    pub(crate) fn new() -> Self {
        Self {
            residues: vec![Residue::default(); SLOTS].into_boxed_slice(),
            begun: 0,
        }
    }

    /// Looks at the shards at `nanos` (never before the last look); returns how many requests are
    /// open, and the age of the oldest to within a slot, never more than its true age.
    pub(crate) fn look<'a>(
        &mut self,
        nanos: u64,
        shards: impl Iterator<Item = &'a OpenSlots>,
    ) -> (u64, Option<Duration>) {
        let counts = sums(shards);
        let number = nanos >> WIDTH;
        // Looked at a few slots ahead of time, where only requests a lap old can be. Slots that were
        // reached without such a look are left out: their requests may be new.
        let ahead = number + AHEAD;
        for next in self.begun.max(number) + 1..=ahead {
            let index = slot(next << WIDTH);
            let residue = &mut self.residues[index];
            if residue.count == 0 && next >= SLOTS as u64 {
                *residue = Residue {
                    count: counts[index],
                    number: next - SLOTS as u64,
                };
            }
        }
        self.begun = self.begun.max(ahead);

        let mut oldest: Option<u64> = None;
        for (index, residue) in self.residues.iter_mut().enumerate() {
            residue.count = residue.count.min(counts[index]);
            let started = if residue.count > 0 {
                Some(residue.number)
            } else if counts[index] > 0 {
                // The latest time, up to now, at which this slot was current.
                let back = (slot(nanos) + SLOTS - index) % SLOTS;
                Some(number.saturating_sub(back as u64))
            } else {
                None
            };
            if let Some(started) = started {
                oldest = Some(oldest.map_or(started, |o: u64| o.min(started)));
            }
        }
        let age = oldest.map(|started| {
            Duration::from_nanos(nanos.saturating_sub(((started + 1) << WIDTH).saturating_sub(1)))
        });
        (counts.iter().copied().map(u64::from).sum(), age)
    }
}

/// Slots that are looked at before they begin (2 s): more than the time between two looks.
const AHEAD: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn the_oldest_is_found_and_forgotten() {
        let (a, b) = (OpenSlots::new(), OpenSlots::new());
        let mut oldest = Oldest::new();
        let look = |oldest: &mut Oldest, at| oldest.look(at, [&a, &b].into_iter());
        assert_eq!(look(&mut oldest, SECOND), (0, None));
        a.opened(2 * SECOND);
        a.opened(5 * SECOND);
        let (open, age) = look(&mut oldest, 10 * SECOND);
        assert_eq!(open, 2);
        assert!((7.8..=8.0).contains(&age.unwrap().as_secs_f64()), "{age:?}");
        b.closed(2 * SECOND); // ended on another thread
        let (open, age) = look(&mut oldest, 11 * SECOND);
        assert_eq!(open, 1);
        assert!((5.8..=6.0).contains(&age.unwrap().as_secs_f64()), "{age:?}");
        b.closed(5 * SECOND);
        assert_eq!(look(&mut oldest, 12 * SECOND), (0, None));
    }

    #[test]
    fn one_that_is_older_than_a_lap_stays_the_oldest() {
        let shard = OpenSlots::new();
        let mut oldest = Oldest::new();
        let start = 3 * SECOND;
        shard.opened(start);
        let mut age = None;
        for second in 3..3 * LAP.as_secs() {
            // Short requests come and go in every slot meanwhile.
            shard.opened(second * SECOND);
            (_, age) = oldest.look(second * SECOND, [&shard].into_iter());
            shard.closed(second * SECOND);
        }
        let true_age = (3 * LAP.as_secs() - 1 - 3) as f64;
        assert!((true_age - age.unwrap().as_secs_f64()) < 0.2, "{age:?}");
        shard.closed(start);
        assert_eq!(
            oldest.look(4 * LAP.as_secs() * SECOND, [&shard].into_iter()),
            (0, None)
        );
    }
}
