//! Independent streams of random numbers.

use healing_core::rng::Rng;

/// Stream of random numbers; its discriminant selects its part of the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// Arrivals of the open load.
    Arrivals = 1,
    /// Demand, patience and retries of requests.
    Requests = 2,
    /// Noise of measurements.
    Noise = 3,
    /// Delays of polls.
    Polls = 4,
    /// Thinking times of the closed loop.
    Closed = 5,
    /// Results of the checks.
    Checks = 6,
    /// Noise of the measurements of a trace.
    Trace = 7,
    /// Pauses between two reads of the sockets.
    Sockets = 8,
}

// === impl Stream ===

impl Stream {
    /// Returns the generator of this stream.
    pub(super) fn rng(self, seed: u64) -> Rng {
        Rng::new(seed).part(self as u64)
    }
}
