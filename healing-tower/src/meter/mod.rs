//! Counting of requests.
//!
//! A request writes to the counters of its thread's shard and to nothing else: two additions when it
//! starts, four when it finishes (five unless its outcome is [`Outcome::Ok`]), two between them for the
//! response head if the body is tracked, no lock, no allocation, no shared cache line. Readers sum the
//! shards on demand; [`Meter::tick`] does so on the care thread.

mod clock;
mod collector;
mod durations;
mod goodput;
mod in_flight;
mod options;
mod outcome;
#[cfg(feature = "axum")]
mod path_cache;
mod ranking;
mod render;
mod request_counts;
mod request_guard;
mod routes;
mod series;
mod sharded;
mod windows;

use healing_wire::health::{self, Latency, RouteReport, WindowStats};
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

pub use collector::MeterCollector;
pub use options::{MeterOptions, RequestHead, ResponseHead, TrackBody};
pub(crate) use outcome::Outcome;
pub(crate) use request_guard::RequestGuard;
pub(crate) use routes::{MethodSlot, Route};

use goodput::Goodput;
use in_flight::Rotation;
use ranking::Ranking;
use request_counts::RequestCounts;
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
    counts: RequestCounts,
    /// Slot (see [`in_flight`]) in which new requests are counted; advanced at each tick.
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
    goodput: Goodput,
    ranking: Ranking,
    rotation: Rotation,
    oldest_in_flight: Option<Duration>,
}

impl Inner {
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
            counts: RequestCounts::new(),
            slot: AtomicU32::new(0),
            routes: Routes::new(options.routes),
            #[cfg(feature = "axum")]
            paths: path_cache::PathCache::new(options.routes),
            bounds: bounds.collect(),
            options,
            baseline: AtomicU64::new(0),
            recent: Mutex::new(Recent {
                windows: Windows::new(),
                goodput: Goodput::new(),
                ranking: Ranking::default(),
                rotation: Rotation::default(),
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
        // A part is read before its whole, so that a request that finishes meanwhile cannot raise the part
        // above the whole.
        let counts = &self.0.counts;
        let answered_errors = counts.answered_errors();
        let answered = counts.answered();
        let cancelled_before_head = counts.cancelled_before_head();
        let panics = counts.outcomes(Outcome::Panic);
        let body_errors = counts.outcomes(Outcome::BodyError);
        let errors = counts.errors();
        let cancelled = counts.outcomes(Outcome::Cancelled);
        health::Totals {
            requests_total: Some(counts.durations().iter().sum()),
            errors_total: Some(errors),
            panics_total: Some(panics),
            cancelled_total: Some(cancelled),
            body_errors_total: Some(body_errors),
            answered_total: Some(answered),
            answered_errors_total: Some(answered_errors),
            cancelled_before_head_total: Some(cancelled_before_head),
        }
    }

    /// Returns the errors since the start or the last [`reset_errors`](Self::reset_errors).
    #[must_use]
    pub fn error_count(&self) -> u64 {
        let errors = self.0.counts.errors();
        errors.saturating_sub(self.0.baseline.load(Relaxed))
    }

    /// Resets `error_count` to zero and returns its previous value. Totals are not reset.
    pub fn reset_errors(&self) -> u64 {
        let errors = self.0.counts.errors();
        errors.saturating_sub(self.0.baseline.swap(errors, Relaxed))
    }

    /// Returns the number of requests in flight, their bodies included.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        in_flight::count(self.0.counts.in_flight_slots())
    }

    /// Returns the number of requests in flight whose response head has not been sent.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        // Read first, so that a body that begins meanwhile is not subtracted from an older number.
        let open_bodies = self.0.counts.open_bodies();
        self.in_flight().saturating_sub(open_bodies)
    }

    /// Returns the histogram of request durations since the meter was created.
    #[must_use]
    pub fn latency(&self) -> Latency {
        durations::latency(&self.0.counts.durations())
    }

    /// Takes the snapshot from which [`windows`](Self::windows), [`peak_goodput`](Self::peak_goodput),
    /// [`routes`](Self::routes) and [`oldest_in_flight`](Self::oldest_in_flight) are computed. Call it about
    /// four times per second, off the app's runtime; `now` must not decrease.
    pub fn tick(&self, now: Instant) {
        let at = now.saturating_duration_since(self.0.origin);
        let errors = self.0.counts.errors();
        let panics = self.0.counts.outcomes(Outcome::Panic);
        let answered_errors = self.0.counts.answered_errors();
        let good = self.0.counts.answered().saturating_sub(answered_errors);
        let mut recent = self.0.recent();
        let (in_flight, oldest) =
            recent
                .rotation
                .rotate(at, self.0.counts.in_flight_slots(), &self.0.slot);
        recent.goodput.push(at, good);
        recent
            .ranking
            .visit(at, &self.0.routes, self.0.counts.shards());
        let durations = self.0.counts.durations();
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

    /// Returns the highest goodput of any 2 s within the last 30 s, as of the last tick, in response heads
    /// without an error per second. Absent before the first 2 s, and without ticks.
    #[must_use]
    pub fn peak_goodput(&self) -> Option<f64> {
        self.0.recent().goodput.peak()
    }

    /// Returns the cumulative counts of the routes with the most failed requests in the last minutes, five
    /// at most, and of the busiest others, [`MAX_ROUTES`](health::MAX_ROUTES) in total. A request without an
    /// answer counts as failed. Empty before the first tick. A tick visits a limited number of routes, so
    /// among thousands a new one appears only after some seconds, or after minutes on many cores.
    #[must_use]
    pub fn routes(&self) -> Vec<RouteReport> {
        self.0.recent().ranking.reports()
    }

    /// Returns the age of the oldest request in flight, as of the last tick. The age is too low by the
    /// time between two ticks at most, while there are less than 2048 ticks in which a request began that is
    /// still in flight. Beyond, the error grows to a minute after some hours of such streams.
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
