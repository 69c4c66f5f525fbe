//! Counting of requests.
//!
//! A request writes to the counters of its thread's shard and to nothing else: two additions when it
//! starts, five when it finishes (six unless its outcome is [`Outcome::Ok`]), no lock, no allocation,
//! no shared cache line. Readers sum the shards on demand; [`Meter::tick`] does so on the care thread.

mod clock;
mod collector;
mod durations;
mod in_flight;
mod options;
#[cfg(feature = "axum")]
mod path_cache;
mod render;
mod request_guard;
mod routes;
mod series;
mod sharded;
mod windows;

use healing_wire::health::{self, Latency, WindowStats};
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

pub use collector::MeterCollector;
pub use options::{MeterOptions, RequestHead, ResponseHead, TrackBody};
pub(crate) use request_guard::{Outcome, RequestGuard};
pub(crate) use routes::{MethodSlot, Route};

use durations::{BUCKETS, BucketCounts};
use in_flight::{InFlightSlots, Rings};
use routes::Routes;
use windows::{Snapshot, Windows};

use crate::lock::lock;

/// Handle to the counts of one service. Copies refer to the same counts.
///
/// Its methods are grouped by theme: the text format in `render`, the collector for a Prometheus
/// registry in `collector`, the rest here.
///
/// # Hazards
///
/// A meter exists until the process exits. Its memory is never freed, so that a request needs no
/// reference count (which all threads would contend for). Create one per service, not per request or
/// connection. Its size depends on routes × methods × status codes, never on time or load.
#[derive(Clone, Copy)]
pub struct Meter(&'static Inner);

/// Shared counts and options of a [`Meter`].
pub(crate) struct Inner {
    origin: Instant,
    shards: Box<[Shard]>,
    /// Slot of [`InFlightSlots`] in which new requests are counted; advanced at each tick.
    slot: AtomicU32,
    routes: Routes,
    #[cfg(feature = "axum")]
    paths: path_cache::PathCache,
    /// Upper bounds of the histogram's buckets, in nanoseconds.
    bounds: Vec<u64>,
    options: MeterOptions,
    /// Errors at the last reset of `error_count`.
    baseline: AtomicU64,
    /// State of [`Meter::tick`], which no request accesses.
    recent: Mutex<Recent>,
}

/// Results of the last tick.
struct Recent {
    windows: Windows,
    rings: Rings,
    oldest_in_flight: Option<Duration>,
}

/// Counts of one shard (see [`sharded`]). A request with [`Outcome::Ok`] is in `durations` alone.
#[repr(align(128))]
struct Shard {
    /// Errors other than panics and failed bodies.
    errors: AtomicU64,
    panics: AtomicU64,
    cancelled: AtomicU64,
    body_errors: AtomicU64,
    durations: [AtomicU64; BUCKETS],
    in_flight: InFlightSlots,
}

impl Shard {
    const fn new() -> Self {
        Self {
            errors: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            body_errors: AtomicU64::new(0),
            durations: [const { AtomicU64::new(0) }; BUCKETS],
            in_flight: InFlightSlots::new(),
        }
    }
}

impl Inner {
    /// Returns the index of this thread's shard, and the shard.
    #[inline]
    fn shard(&self) -> (usize, &Shard) {
        let index = sharded::thread_number() & (self.shards.len() - 1);
        (index, &self.shards[index])
    }

    #[inline]
    pub(crate) fn options(&self) -> &MeterOptions {
        &self.options
    }

    /// Returns the route of a template.
    #[inline]
    pub(crate) fn route(&self, template: Option<&str>) -> &'static Route {
        self.routes.get(template)
    }

    /// Returns the route that axum matched.
    #[cfg(feature = "axum")]
    #[inline]
    pub(crate) fn route_of_path(&self, path: &axum::extract::MatchedPath) -> &'static Route {
        self.paths.route(path, &self.routes)
    }

    fn sum(&self, field: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        self.shards
            .iter()
            .map(|shard| field(shard).load(Relaxed))
            .sum()
    }

    fn errors(&self) -> u64 {
        self.sum(|s| &s.errors) + self.sum(|s| &s.panics) + self.sum(|s| &s.body_errors)
    }

    fn durations(&self) -> BucketCounts {
        std::array::from_fn(|bucket| self.sum(|shard| &shard.durations[bucket]))
    }

    fn in_flight_slots(&self) -> impl Iterator<Item = &InFlightSlots> + Clone {
        self.shards.iter().map(|shard| &shard.in_flight)
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        lock(&self.recent)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Meter {
    /// Creates a meter that exists until the process exits.
    #[must_use]
    pub fn new(options: MeterOptions) -> Self {
        let bounds = options
            .bounds
            .iter()
            .map(|&b| nanos(Duration::try_from_secs_f64(b).unwrap_or(Duration::MAX)));
        Self(Box::leak(Box::new(Inner {
            origin: Instant::now(),
            shards: (0..sharded::shard_count()).map(|_| Shard::new()).collect(),
            slot: AtomicU32::new(0),
            routes: Routes::new(options.routes),
            #[cfg(feature = "axum")]
            paths: path_cache::PathCache::new(options.routes),
            bounds: bounds.collect(),
            options,
            baseline: AtomicU64::new(0),
            recent: Mutex::new(Recent {
                windows: Windows::new(),
                rings: Rings::default(),
                oldest_in_flight: None,
            }),
        })))
    }

    pub(crate) fn inner(self) -> &'static Inner {
        self.0
    }

    /// Returns cumulative counts since the meter was created.
    #[must_use]
    pub fn totals(&self) -> health::Totals {
        // Errors are read first, so that a request that finishes meanwhile cannot raise them above the
        // requests.
        let errors = self.0.errors();
        let panics = self.0.sum(|shard| &shard.panics);
        let body_errors = self.0.sum(|shard| &shard.body_errors);
        let cancelled = self.0.sum(|shard| &shard.cancelled);
        health::Totals {
            requests_total: Some(self.0.durations().iter().sum()),
            errors_total: Some(errors),
            panics_total: Some(panics),
            cancelled_total: Some(cancelled),
            body_errors_total: Some(body_errors),
            ..health::Totals::default()
        }
    }

    /// Returns the errors since the start or the last [`reset_errors`](Self::reset_errors).
    #[must_use]
    pub fn error_count(&self) -> u64 {
        self.0
            .errors()
            .saturating_sub(self.0.baseline.load(Relaxed))
    }

    /// Resets `error_count` to zero and returns its previous value. Totals are not reset.
    pub fn reset_errors(&self) -> u64 {
        let errors = self.0.errors();
        errors.saturating_sub(self.0.baseline.swap(errors, Relaxed))
    }

    /// Returns the number of requests in flight, their bodies included.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        in_flight::count(self.0.in_flight_slots())
    }

    /// Returns the histogram of request durations since the meter was created.
    #[must_use]
    pub fn latency(&self) -> Latency {
        durations::latency(&self.0.durations())
    }

    /// Takes the snapshot from which [`windows`](Self::windows) and
    /// [`oldest_in_flight`](Self::oldest_in_flight) are computed. Call it about four times per second, off
    /// the app's runtime; `now` must not decrease.
    pub fn tick(&self, now: Instant) {
        let at = now.saturating_duration_since(self.0.origin);
        let errors = self.0.errors();
        let panics = self.0.sum(|shard| &shard.panics);
        let mut recent = self.0.recent();
        let (in_flight, oldest) = recent
            .rings
            .rotate(at, self.0.in_flight_slots(), &self.0.slot);
        let durations = self.0.durations();
        recent.oldest_in_flight = oldest;
        recent.windows.push(Snapshot {
            at,
            errors,
            panics,
            durations,
            in_flight,
        });
    }

    /// Returns the statistics of the last 10 s and 60 s, as of the last tick; empty before the first.
    /// The peak is the highest number in flight at a tick; requests between two ticks are not included.
    #[must_use]
    pub fn windows(&self) -> Vec<WindowStats> {
        self.0.recent().windows.stats()
    }

    /// Returns the age of the oldest request in flight, as of the last tick. The age is too low by the
    /// time between two ticks at most, and from 2048 ticks on by a minute at most. An age above 34 hours is
    /// reported too low.
    #[must_use]
    pub fn oldest_in_flight(&self) -> Option<Duration> {
        self.0.recent().oldest_in_flight
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("totals", &self.totals())
            .finish_non_exhaustive()
    }
}
