//! Selection of the routes in a health report: those with the most failed requests, and the busiest.
//!
//! The care thread visits a bounded number of endpoints at each tick of the meter, in turn, so that its
//! cost, some 0.1 ms, does not depend on the number of routes; requests do not access the ranking. Recent requests count
//! more than old ones, so that a route that begins to fail replaces one that failed yesterday.

use super::routes::{Called, Routes};
use healing_wire::health::{self, RouteReport};
use std::time::Duration;

/// Maximum number of shards read per tick, over all endpoints that are visited.
const SHARDS_PER_TICK: usize = 256;
/// Time after which a request counts half.
const HALF_LIFE: Duration = Duration::from_secs(60);
/// Maximum number of routes that are reported for their failed requests; the others are the busiest.
const MAX_FAILING: usize = health::MAX_ROUTES / 2;
/// Minimum of the recent failed requests of a route that is reported for them.
const MIN_FAILED: f64 = 0.5;

/// Recent requests of every endpoint.
#[derive(Default)]
pub(crate) struct Ranking {
    entries: Vec<Entry>,
    /// Index of the entry that is visited next.
    next: usize,
}

/// Recent requests of one endpoint.
struct Entry {
    endpoint: Called,
    visited: Duration,
    begun_total: u64,
    failed_total: u64,
    /// Number of requests, each halved per [`HALF_LIFE`].
    begun: f64,
    /// Number of errors and of requests without an answer, likewise.
    failed: f64,
}

impl Entry {
    fn new(endpoint: Called, now: Duration) -> Self {
        Self {
            endpoint,
            visited: now,
            begun_total: 0,
            failed_total: 0,
            begun: 0.0,
            failed: 0.0,
        }
    }

    fn visit(&mut self, now: Duration) {
        let counts = self.endpoint.endpoint.counts();
        let unanswered = counts.begun.saturating_sub(counts.answered);
        let failed_total = counts.errors + unanswered;
        let elapsed = now.saturating_sub(self.visited);
        let weight = (-elapsed.div_duration_f64(HALF_LIFE)).exp2();
        // The number of unanswered requests falls when an answer is sent, so a difference may be negative.
        let risen = |now: u64, then: u64| now as f64 - then as f64;
        self.begun = self.begun * weight + risen(counts.begun, self.begun_total);
        self.failed = self.failed * weight + risen(failed_total, self.failed_total);
        (self.begun_total, self.failed_total) = (counts.begun, failed_total);
        self.visited = now;
    }

    fn report(&self) -> RouteReport {
        let counts = self.endpoint.endpoint.counts();
        RouteReport {
            method: self.endpoint.method.to_owned(),
            route: self.endpoint.route.name().to_owned(),
            begun_total: counts.begun,
            answered_total: counts.answered,
            errors_total: counts.errors,
        }
    }
}

impl Ranking {
    /// Visits the next endpoints.
    pub(crate) fn visit(&mut self, now: Duration, routes: &Routes, shards: usize) {
        let new = routes.called_since(self.entries.len());
        self.entries
            .extend(new.into_iter().map(|endpoint| Entry::new(endpoint, now)));
        let endpoints = (SHARDS_PER_TICK / shards).max(1);
        for _ in 0..endpoints.min(self.entries.len()) {
            if self.next >= self.entries.len() {
                self.next = 0;
            }
            self.entries[self.next].visit(now);
            self.next += 1;
        }
    }

    /// Returns the endpoints with the most failed requests, then the busiest of the others.
    pub(crate) fn reports(&self) -> Vec<RouteReport> {
        let failing = highest(&self.entries, MAX_FAILING, |entry| {
            Some(entry.failed).filter(|failed| *failed >= MIN_FAILED)
        });
        let is_failing = |entry: &Entry| failing.iter().any(|other| std::ptr::eq(*other, entry));
        let rest = health::MAX_ROUTES - failing.len();
        let busiest = highest(&self.entries, rest, |entry| {
            (entry.begun_total > 0 && !is_failing(entry)).then_some(entry.begun)
        });
        failing
            .iter()
            .chain(&busiest)
            .map(|entry| entry.report())
            .collect()
    }
}

/// Returns the entries with the highest scores, highest first; without a score an entry is left out.
fn highest(entries: &[Entry], limit: usize, score: impl Fn(&Entry) -> Option<f64>) -> Vec<&Entry> {
    let mut best: Vec<(f64, &Entry)> = Vec::with_capacity(limit + 1);
    for entry in entries {
        let Some(score) = score(entry) else { continue };
        let rank = best.partition_point(|(other, _)| *other >= score);
        if rank < limit {
            best.insert(rank, (score, entry));
            best.truncate(limit);
        }
    }
    best.into_iter().map(|(_, entry)| entry).collect()
}
