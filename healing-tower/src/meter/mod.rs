//! Counting of requests.
//!
//! A request writes to the counters of its thread's shard and to nothing else: two additions when it
//! starts, four when it finishes (five unless its outcome is [`Outcome::Ok`]), two between them for the
//! response head if the body is tracked, no lock, no allocation, no shared cache line. Readers sum the
//! shards on demand; [`Meter::tick`] does so on the care thread.
//!
//! A head that is not tracked has no counter of its own, because the request finishes with it.

mod clock;
mod collector;
mod durations;
mod goodput;
mod in_flight;
mod options;
#[cfg(feature = "axum")]
mod path_cache;
mod ranking;
mod render;
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
pub(crate) use request_guard::{Outcome, RequestGuard};
pub(crate) use routes::{MethodSlot, Route};

use durations::{BUCKETS, BucketCounts};
use goodput::Goodput;
use in_flight::{InFlightSlots, Rotation};
use ranking::Ranking;
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
    goodput: Goodput,
    ranking: Ranking,
    rotation: Rotation,
    oldest_in_flight: Option<Duration>,
}

/// Counts of one shard (see [`sharded`]).
#[repr(align(128))]
struct Shard {
    /// Durations of the requests that finished with their head, or panicked before it.
    with_head: Durations,
    /// Durations of the requests with a tracked body.
    with_body: Durations,
    /// Durations of the requests that were cancelled before their head.
    before_head: Durations,
    /// Response heads with a tracked body, those without and those with an error.
    tracked_heads: [AtomicU64; 2],
    /// Requests by outcome other than [`Outcome::Ok`], without and with a tracked body.
    failures: [[AtomicU64; Outcome::COUNT]; 2],
    in_flight: InFlightSlots,
}

type Durations = [AtomicU64; BUCKETS];

impl Shard {
    const fn new() -> Self {
        Self {
            with_head: [const { AtomicU64::new(0) }; BUCKETS],
            with_body: [const { AtomicU64::new(0) }; BUCKETS],
            before_head: [const { AtomicU64::new(0) }; BUCKETS],
            tracked_heads: [const { AtomicU64::new(0) }; 2],
            failures: [const { [const { AtomicU64::new(0) }; Outcome::COUNT] }; 2],
            in_flight: InFlightSlots::new(),
        }
    }

    /// Returns the histogram in which a finished request counts.
    #[inline]
    fn finished(&self, outcome: Outcome, tracked: bool) -> &Durations {
        match (tracked, outcome) {
            (true, _) => &self.with_body,
            (false, Outcome::Cancelled) => &self.before_head,
            (false, _) => &self.with_head,
        }
    }
}

impl Inner {
    /// Returns the index of this thread's shard, and the shard.
    #[inline]
    fn shard(&self) -> (usize, &Shard) {
        sharded::of_thread(&self.shards)
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

    fn sum_buckets(&self, field: impl Fn(&Shard) -> &Durations) -> u64 {
        let buckets = self.shards.iter().flat_map(|shard| field(shard));
        buckets.map(|count| count.load(Relaxed)).sum()
    }

    fn failures(&self, outcome: Outcome, tracked: bool) -> u64 {
        self.sum(|shard| &shard.failures[usize::from(tracked)][outcome as usize])
    }

    /// Returns the number of requests with this outcome, which is not [`Outcome::Ok`].
    fn outcomes(&self, outcome: Outcome) -> u64 {
        self.failures(outcome, false) + self.failures(outcome, true)
    }

    fn errors(&self) -> u64 {
        let errors = [Outcome::Error, Outcome::Panic, Outcome::BodyError];
        errors.map(|outcome| self.outcomes(outcome)).iter().sum()
    }

    /// Returns the response heads, and the panics before a head.
    fn answered(&self) -> u64 {
        self.sum_buckets(|shard| &shard.with_head)
            + self.sum(|shard| &shard.tracked_heads[0])
            + self.sum(|shard| &shard.tracked_heads[1])
    }

    /// Returns the answers that are errors.
    fn answered_errors(&self) -> u64 {
        self.failures(Outcome::Error, false)
            + self.failures(Outcome::Panic, false)
            + self.sum(|shard| &shard.tracked_heads[1])
    }

    /// Returns the number of requests in flight whose head has been sent.
    fn open_bodies(&self) -> u64 {
        let finished = self.sum_buckets(|shard| &shard.with_body);
        let begun =
            self.sum(|shard| &shard.tracked_heads[0]) + self.sum(|shard| &shard.tracked_heads[1]);
        begun.saturating_sub(finished)
    }

    fn durations(&self) -> BucketCounts {
        std::array::from_fn(|bucket| {
            self.sum(|shard| &shard.with_head[bucket])
                + self.sum(|shard| &shard.with_body[bucket])
                + self.sum(|shard| &shard.before_head[bucket])
        })
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
        let meter = self.0;
        let answered_errors = meter.answered_errors();
        let answered = meter.answered();
        let cancelled_before_head = meter.failures(Outcome::Cancelled, false);
        let panics = meter.outcomes(Outcome::Panic);
        let body_errors = meter.outcomes(Outcome::BodyError);
        let errors = meter.errors();
        let cancelled = meter.outcomes(Outcome::Cancelled);
        health::Totals {
            requests_total: Some(meter.durations().iter().sum()),
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

    /// Returns the number of requests in flight whose response head has not been sent.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        // Read first, so that a body that begins meanwhile is not subtracted from an older number.
        let open_bodies = self.0.open_bodies();
        self.in_flight().saturating_sub(open_bodies)
    }

    /// Returns the histogram of request durations since the meter was created.
    #[must_use]
    pub fn latency(&self) -> Latency {
        durations::latency(&self.0.durations())
    }

    /// Takes the snapshot from which [`windows`](Self::windows), [`peak_goodput`](Self::peak_goodput),
    /// [`routes`](Self::routes) and [`oldest_in_flight`](Self::oldest_in_flight) are computed. Call it about
    /// four times per second, off the app's runtime; `now` must not decrease.
    pub fn tick(&self, now: Instant) {
        let at = now.saturating_duration_since(self.0.origin);
        let errors = self.0.errors();
        let panics = self.0.outcomes(Outcome::Panic);
        let answered_errors = self.0.answered_errors();
        let good = self.0.answered().saturating_sub(answered_errors);
        let mut recent = self.0.recent();
        let (in_flight, oldest) =
            recent
                .rotation
                .rotate(at, self.0.in_flight_slots(), &self.0.slot);
        recent.goodput.push(at, good);
        recent
            .ranking
            .visit(at, &self.0.routes, self.0.shards.len());
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

    /// Returns the highest goodput of any 2 s within the last 30 s, as of the last tick, in response heads
    /// without an error per second. Absent before the first 2 s, and without ticks.
    #[must_use]
    pub fn peak_goodput(&self) -> Option<f64> {
        self.0.recent().goodput.peak()
    }

    /// Returns the cumulative counts of the routes with the most failed requests in the last minutes, five
    /// at most, and of the busiest others, [`MAX_ROUTES`](health::MAX_ROUTES) in total. A request without an
    /// answer counts as failed. Empty before the first tick. A tick visits a limited number of routes, so a
    /// new one appears within a second if there are few, and within a minute if there are thousands.
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
