//! Windows over cumulative totals: a fixed-size history, differenced when asked.
//!
//! `/health` carries totals since the app's start, so a missed poll loses nothing and a late one only
//! makes the time between two samples longer. Hazard: a window after a gap would otherwise smear old
//! errors over new time; a base older than two windows is therefore not used.

use std::collections::VecDeque;
use std::time::Duration;

use crate::health::{Health, Latency};
use crate::time::Time;

/// Latency buckets that are kept; an app that sends more is treated as one that sends none.
const BUCKETS: usize = 48;
/// Samples that are kept: at least this many per slow window, however often is polled.
const SAMPLES: u32 = 128;

/// Totals at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) at: Time,
    pub(crate) requests: Option<u64>,
    pub(crate) errors: Option<u64>,
    pub(crate) panics: Option<u64>,
    pub(crate) in_flight: Option<u64>,
    /// Truncated counts: differences of less than 2³² survive that.
    buckets: Option<[u32; BUCKETS]>,
}

/// What happened between two moments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delta {
    pub(crate) seconds: f64,
    pub(crate) requests: Option<u64>,
    pub(crate) errors: Option<u64>,
    pub(crate) panics: Option<u64>,
    /// Requests that began.
    pub(crate) arrivals: Option<u64>,
    buckets: Option<[u32; BUCKETS]>,
}

#[derive(Debug)]
pub(crate) struct History {
    kept: VecDeque<Sample>,
    newest: Option<Sample>,
    bounds: [f64; BUCKETS],
    bounds_len: usize,
    spacing: Duration,
    horizon: Duration,
}

// === impl Sample ===

impl Sample {
    /// An app that counts errors only since its last heal has its count taken as a total: a heal
    /// cuts the windows anyway.
    pub(crate) fn of(health: &Health, at: Time) -> Self {
        let totals = &health.totals;
        Self {
            at,
            requests: totals.requests_total,
            errors: totals.errors_total.or(Some(health.error_count)),
            panics: totals.panics_total,
            in_flight: health.in_flight,
            buckets: health.latency.as_ref().and_then(truncated_counts),
        }
    }

    /// The same app at its start: nothing had happened.
    pub(crate) fn at_start(self, at: Time) -> Self {
        Self {
            at,
            requests: self.requests.map(|_| 0),
            errors: self.errors.map(|_| 0),
            panics: self.panics.map(|_| 0),
            in_flight: self.in_flight.map(|_| 0),
            buckets: self.buckets.map(|_| [0; BUCKETS]),
        }
    }

    /// Some total is smaller than in `earlier`: the counters began anew.
    pub(crate) fn is_reset_since(&self, earlier: &Self) -> bool {
        let fell = |now: Option<u64>, then: Option<u64>| matches!((now, then), (Some(n), Some(t)) if n < t);
        fell(self.requests, earlier.requests)
            || fell(self.errors, earlier.errors)
            || fell(self.panics, earlier.panics)
    }

    fn since(&self, base: &Self) -> Delta {
        let requests = difference(self.requests, base.requests);
        let arrivals = match (requests, self.in_flight, base.in_flight) {
            (Some(ended), Some(now), Some(then)) => {
                Some(ended.saturating_add(now).saturating_sub(then))
            }
            _ => requests,
        };
        let buckets = match (self.buckets, base.buckets) {
            (Some(now), Some(then)) => Some(std::array::from_fn(|i| now[i].wrapping_sub(then[i]))),
            _ => None,
        };
        Delta {
            seconds: self.at.seconds_since(base.at),
            requests,
            errors: difference(self.errors, base.errors),
            panics: difference(self.panics, base.panics),
            arrivals,
            buckets,
        }
    }
}

fn difference(now: Option<u64>, then: Option<u64>) -> Option<u64> {
    Some(now?.saturating_sub(then?))
}

#[allow(clippy::cast_possible_truncation)] // wrapping is meant
fn truncated_counts(latency: &Latency) -> Option<[u32; BUCKETS]> {
    let counts = &latency.counts;
    if counts.len() != latency.bounds_seconds.len() + 1 || counts.len() > BUCKETS {
        return None;
    }
    let mut buckets = [0; BUCKETS];
    for (bucket, count) in buckets.iter_mut().zip(counts) {
        *bucket = *count as u32;
    }
    Some(buckets)
}

// === impl Delta ===

impl Delta {
    pub(crate) fn per_second(&self, count: Option<u64>) -> Option<f64> {
        let count = count?;
        (self.seconds > 0.0).then(|| as_f64(count) / self.seconds)
    }

    /// `part` per request; 0 where no request ended.
    pub(crate) fn ratio(&self, part: Option<u64>) -> Option<f64> {
        let (part, requests) = (part?, self.requests?);
        Some(if requests == 0 {
            0.0
        } else {
            (as_f64(part) / as_f64(requests)).min(1.0)
        })
    }
}

#[allow(clippy::cast_precision_loss)] // counts beyond 2^53 are out of this world
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

// === impl History ===

impl History {
    pub(crate) fn new(slow_window: Duration) -> Self {
        Self {
            kept: VecDeque::with_capacity(2 * SAMPLES as usize + 2),
            newest: None,
            bounds: [0.0; BUCKETS],
            bounds_len: 0,
            spacing: slow_window / SAMPLES,
            horizon: slow_window.saturating_mul(2),
        }
    }

    pub(crate) fn newest(&self) -> Option<&Sample> {
        self.newest.as_ref()
    }

    /// Forgets what came before: at a treatment, a restart, a reset of the counters.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.newest = None;
    }

    pub(crate) fn push(&mut self, sample: Sample, latency: Option<&Latency>) {
        if let Some(latency) = latency {
            self.set_bounds(latency);
        }
        let due = |last: &Sample| sample.at.since(last.at) >= self.spacing;
        if self.kept.back().is_none_or(due) {
            while self
                .kept
                .front()
                .is_some_and(|old| sample.at.since(old.at) > self.horizon)
                || self.kept.len() > 2 * SAMPLES as usize
            {
                self.kept.pop_front();
            }
            self.kept.push_back(sample);
        }
        self.newest = Some(sample);
    }

    /// Buckets that were redrawn make older counts meaningless.
    fn set_bounds(&mut self, latency: &Latency) {
        let bounds = &latency.bounds_seconds;
        if bounds.len() >= BUCKETS || self.bounds[..self.bounds_len] == bounds[..] {
            return;
        }
        for sample in &mut self.kept {
            sample.buckets = None;
        }
        self.bounds[..bounds.len()].copy_from_slice(bounds);
        self.bounds_len = bounds.len();
    }

    /// What happened in about the last `window`; `None` without two samples that are near enough.
    pub(crate) fn delta(&self, window: Duration) -> Option<Delta> {
        let newest = self.newest.as_ref()?;
        let mut base = None;
        for sample in self
            .kept
            .iter()
            .rev()
            .filter(|sample| sample.at < newest.at)
        {
            let age = newest.at.since(sample.at);
            if age <= window.saturating_mul(2) {
                base = Some(sample);
            }
            if age >= window {
                break;
            }
        }
        base.map(|base| newest.since(base))
    }

    /// Requests in flight in the slow window, oldest first, as (seconds, requests).
    pub(crate) fn in_flight(&self, window: Duration) -> impl Iterator<Item = (f32, f32)> + '_ {
        let newest = self.newest.map(|sample| sample.at).unwrap_or_default();
        self.kept
            .iter()
            .filter(move |sample| newest.since(sample.at) <= window)
            .filter_map(move |sample| {
                let seconds = -newest.seconds_since(sample.at);
                #[allow(clippy::cast_possible_truncation)] // a slope needs no more digits
                sample
                    .in_flight
                    .map(|count| (seconds as f32, as_f64(count) as f32))
            })
    }

    /// A quantile of the durations in seconds, interpolated within its bucket; what lies above all
    /// bounds counts as the largest bound.
    pub(crate) fn quantile(&self, delta: &Delta, quantile: f64) -> Option<f64> {
        let buckets = delta.buckets?;
        let bounds = &self.bounds[..self.bounds_len];
        let total: u64 = buckets[..=bounds.len()]
            .iter()
            .copied()
            .map(u64::from)
            .sum();
        if total == 0 {
            return None;
        }
        let mut rank = as_f64(total) * quantile;
        for (index, &bound) in bounds.iter().enumerate() {
            let count = f64::from(buckets[index]);
            if rank <= count && count > 0.0 {
                let lower = if index == 0 { 0.0 } else { bounds[index - 1] };
                return Some(lower + (bound - lower) * rank / count);
            }
            rank -= count;
        }
        bounds.last().copied()
    }
}
