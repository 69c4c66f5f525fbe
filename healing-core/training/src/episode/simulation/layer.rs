//! Counts of the healing layer: totals, latency histogram, requests in flight.

use std::collections::VecDeque;

use super::requests::{Key, Requests};
use healing_core::health::Latency;

/// log2 of the smallest bound of the histogram in nanoseconds (65.5 µs).
const LOWEST: u32 = 16;
/// log2 of the largest bound in nanoseconds (68.7 s).
const HIGHEST: u32 = 36;
/// Number of buckets: one below the lowest bound, two per octave (at 1 and 1.5), one above the highest.
const BUCKETS: usize = (HIGHEST - LOWEST) as usize * 2 + 2;

/// Result of a request, as the layer counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Ok,
    Error,
    Panic,
    Cancelled,
}

/// Counts since the start of the process.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) panics: u64,
    pub(super) cancelled: u64,
    pub(super) in_flight: u64,
    /// Errors since the start or the last soft heal.
    pub(super) error_count: u64,
    counts: [u64; BUCKETS],
    /// Requests in order of their begin; finished ones are removed late.
    begun: VecDeque<Key>,
}

// === impl Layer ===

impl Layer {
    /// Returns the counts at the start of the process.
    pub(super) fn new() -> Self {
        Self {
            requests: 0,
            errors: 0,
            panics: 0,
            cancelled: 0,
            in_flight: 0,
            error_count: 0,
            counts: [0; BUCKETS],
            begun: VecDeque::new(),
        }
    }

    /// Counts a request as in flight.
    pub(super) fn begin(&mut self, key: Key, requests: &Requests) {
        self.in_flight += 1;
        while self
            .begun
            .front()
            .is_some_and(|&key| !is_seen(requests, key))
        {
            self.begun.pop_front();
        }
        self.begun.push_back(key);
    }

    /// Counts a request as finished after `seconds`.
    pub(super) fn end(&mut self, ending: Ending, seconds: f64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.requests += 1;
        self.counts[bucket(seconds)] += 1;
        match ending {
            Ending::Ok => {}
            Ending::Cancelled => self.cancelled += 1,
            Ending::Error | Ending::Panic => {
                self.errors += 1;
                self.error_count += 1;
                self.panics += u64::from(ending == Ending::Panic);
            }
        }
    }

    /// Returns the time at which the oldest request in flight began.
    pub(super) fn oldest(&self, requests: &Requests) -> Option<f64> {
        let key = self.begun.iter().find(|&&key| is_seen(requests, key))?;
        requests.peek(*key).map(|request| request.begun)
    }

    /// Returns the histogram in the form of `/health`.
    pub(super) fn latency(&self) -> Latency {
        #[allow(clippy::cast_precision_loss)] // exact: few bits
        let bound = |index: usize| {
            let octave = (1_u64 << LOWEST << (index / 2)) as f64 / 1e9;
            if index.is_multiple_of(2) {
                octave
            } else {
                1.5 * octave
            }
        };
        Latency {
            bounds_seconds: (0..BUCKETS - 1).map(bound).collect(),
            counts: self.counts.to_vec(),
        }
    }
}

/// Returns `true` if the request is in flight.
fn is_seen(requests: &Requests, key: Key) -> bool {
    requests.peek(key).is_some_and(|request| request.seen)
}

/// Returns the bucket of a duration.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
fn bucket(seconds: f64) -> usize {
    let nanos = (seconds * 1e9) as u64;
    if nanos >> LOWEST == 0 {
        return 0;
    }
    let octave = nanos.ilog2();
    if octave >= HIGHEST {
        return BUCKETS - 1;
    }
    let half = (nanos >> (octave - 1)) & 1;
    (octave - LOWEST) as usize * 2 + half as usize + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_ends_at_its_bound() {
        let bounds = Layer::new().latency().bounds_seconds;
        assert_eq!(bounds.len() + 1, BUCKETS);
        assert!(bounds.is_sorted());
        for (index, bound) in bounds.iter().enumerate() {
            assert_eq!(bucket(bound * 0.999), index);
            assert_eq!(bucket(bound * 1.001), index + 1);
        }
    }
}
