//! Counts of the healing layer: totals, routes, latency histogram, requests in flight, peak of the goodput.

use std::cmp::Reverse;
use std::collections::VecDeque;

use super::goodput::Goodput;
use super::requests::{Key, Requests};
use healing_core::health::{Latency, MAX_ROUTES, RouteReport};

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
    routes: Vec<RouteCounts>,
    goodput: Goodput,
}

/// Counts of one route.
#[derive(Debug, Clone, Copy, Default)]
struct RouteCounts {
    begun: u64,
    answered: u64,
    errors: u64,
}

// === impl Layer ===

impl Layer {
    /// Returns the counts of an app with this number of routes at the start of its process.
    pub(super) fn new(routes: usize) -> Self {
        Self {
            requests: 0,
            errors: 0,
            panics: 0,
            cancelled: 0,
            in_flight: 0,
            error_count: 0,
            counts: [0; BUCKETS],
            begun: VecDeque::new(),
            routes: vec![RouteCounts::default(); routes],
            goodput: Goodput::new(),
        }
    }

    /// Counts a request to a route as in flight.
    pub(super) fn begin(&mut self, key: Key, route: u32, requests: &Requests) {
        self.in_flight += 1;
        if let Some(counts) = self.routes.get_mut(route as usize) {
            counts.begun += 1;
        }
        while self
            .begun
            .front()
            .is_some_and(|&key| !is_seen(requests, key))
        {
            self.begun.pop_front();
        }
        self.begun.push_back(key);
    }

    /// Counts a request to a route as finished after `seconds`.
    pub(super) fn end(&mut self, ending: Ending, seconds: f64, route: u32) {
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
        if let Some(counts) = self.routes.get_mut(route as usize) {
            counts.answered += u64::from(ending != Ending::Cancelled);
            counts.errors += u64::from(matches!(ending, Ending::Error | Ending::Panic));
        }
    }

    /// Returns the number of response heads, including those of errors. A response is sent at once, so
    /// that each request without one was cancelled.
    pub(super) fn answered(&self) -> u64 {
        self.requests - self.cancelled
    }

    /// Takes a sample of the goodput, as the care thread does.
    pub(super) fn sample_goodput(&mut self) {
        self.goodput.sample(self.answered() - self.errors);
    }

    /// Returns the highest goodput of any 2 s within the last 30 s, in response heads per second.
    pub(super) fn peak_goodput(&self) -> Option<f64> {
        self.goodput.peak()
    }

    /// Returns the busiest of the routes that were called, in the form of `/health`.
    pub(super) fn routes(&self) -> Vec<RouteReport> {
        let called = self.routes.iter().enumerate();
        let called = called.filter(|(_, counts)| counts.begun > 0);
        let mut reports: Vec<_> = called
            .map(|(index, counts)| RouteReport {
                method: "GET".to_owned(),
                route: format!("/route-{index}"),
                begun_total: counts.begun,
                answered_total: counts.answered,
                errors_total: counts.errors,
            })
            .collect();
        reports.sort_by_key(|report| Reverse(report.begun_total));
        reports.truncate(MAX_ROUTES);
        reports
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
        let bounds = Layer::new(1).latency().bounds_seconds;
        assert_eq!(bounds.len() + 1, BUCKETS);
        assert!(bounds.is_sorted());
        for (index, bound) in bounds.iter().enumerate() {
            assert_eq!(bucket(bound * 0.999), index);
            assert_eq!(bucket(bound * 1.001), index + 1);
        }
    }
}
