//! Future events, in order of time and then of their scheduling.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::call::Call;
use super::requests::Key;

/// Event of the simulation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Event {
    /// A client sends a request, which is the next of a closed loop or a retry.
    Send(Call),
    /// A client leaves.
    Leave(Key),
    /// A request has held its slot of the pool for long enough.
    HoldEnds(Key),
    /// A request stops blocking its worker.
    BlockEnds(Key),
    /// The set of active faults, neighbours or jobs changes.
    Change,
    /// The container of this instance is created.
    ProcessStarts(u32),
    /// The boot of this instance is complete.
    BootEnds(u32),
    /// The doctor polls.
    Poll,
    /// The probe of this number has taken too long.
    ProbeTimesOut(u32),
    /// Both probes of a poll are complete.
    PollEnds,
    /// The soft heal is complete.
    SoftHealEnds,
    /// The doctor checks the requests in flight of this draining instance; `true` at the deadline.
    DrainCheck(u32, bool),
}

/// Queue of future events.
#[derive(Debug, Default)]
pub(super) struct Events {
    heap: BinaryHeap<Reverse<Entry>>,
    scheduled: u64,
}

#[derive(Debug)]
struct Entry {
    /// Bits of the time, which order like the time because it is not negative, and number of the event.
    order: (u64, u64),
    event: Event,
}

// === impl Events ===

impl Events {
    /// Schedules an event; one at an infinite time is dropped.
    pub(super) fn schedule(&mut self, at: f64, event: Event) {
        if at.is_finite() {
            let order = (at.max(0.0).to_bits(), self.scheduled);
            self.scheduled += 1;
            self.heap.push(Reverse(Entry { order, event }));
        }
    }

    /// Returns the time of the next event.
    pub(super) fn next_time(&self) -> f64 {
        self.heap
            .peek()
            .map_or(f64::INFINITY, |entry| f64::from_bits(entry.0.order.0))
    }

    /// Removes the next event.
    pub(super) fn pop(&mut self) -> Option<Event> {
        self.heap.pop().map(|entry| entry.0.event)
    }
}

// === impl Entry ===

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}
