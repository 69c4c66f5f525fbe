//! Counting requests.
//!
//! A request writes to the cells of its thread's shard and to nothing else: two additions when it
//! starts, five when it ends (one more unless all went well), no lock, no allocation, no shared cache
//! line. Everything that people and the policy read is added up when they ask, or by [`Meter::tick`] on
//! the care thread.

mod cells;
mod clock;
mod collector;
mod durations;
mod open;
mod options;
#[cfg(feature = "axum")]
mod paths;
mod record;
mod render;
mod routes;
mod series;
mod windows;

use healing_core::health::{self, Latency, WindowStats};
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use collector::MeterCollector;
pub use options::{MeterOptions, RequestHead, ResponseHead, TrackBody};
pub(crate) use record::{Ending, Open};
pub(crate) use routes::{MethodSlot, Route};

use durations::{BUCKETS, Counts};
use open::{OpenSlots, Turns};
use routes::Routes;
use windows::{Sample, Windows};

/// A handle to the counts of one service. Copies refer to the same counts.
///
/// # Hazards
///
/// A meter lives as long as the process: its memory is never given back, so that a request needs no
/// reference count (which all threads would fight over). Make one for each service, not for each
/// request or connection. Its size depends on routes × methods × status codes, never on time or load.
#[derive(Clone, Copy)]
pub struct Meter(&'static Inner);

pub(crate) struct Inner {
    origin: Instant,
    shards: Box<[Shard]>,
    /// In which requests that start now are counted as open; the next one at each tick.
    slot: AtomicU32,
    routes: Routes,
    #[cfg(feature = "axum")]
    paths: paths::Paths,
    /// Upper bounds of the histogram's buckets, in nanoseconds.
    bounds: Vec<u64>,
    options: MeterOptions,
    /// Errors at the last reset of `error_count`.
    baseline: AtomicU64,
    /// What [`Meter::tick`] keeps. Never touched by a request.
    recent: Mutex<Recent>,
}

struct Recent {
    windows: Windows,
    turns: Turns,
    slowest: Option<Duration>,
}

/// The counts of one thread (see [`cells`]). A request that ends well shows in `durations` alone.
#[repr(align(128))]
struct Shard {
    /// Errors that are neither panics nor failed bodies.
    errors: AtomicU64,
    panics: AtomicU64,
    cancelled: AtomicU64,
    body_errors: AtomicU64,
    durations: [AtomicU64; BUCKETS],
    open: OpenSlots,
}

impl Shard {
    const fn new() -> Self {
        Self {
            errors: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            body_errors: AtomicU64::new(0),
            durations: [const { AtomicU64::new(0) }; BUCKETS],
            open: OpenSlots::new(),
        }
    }
}

impl Inner {
    /// The shard of this thread, and its index.
    #[inline]
    fn shard(&self) -> (usize, &Shard) {
        let index = cells::thread_number() & (self.shards.len() - 1);
        (index, &self.shards[index])
    }

    #[inline]
    pub(crate) fn options(&self) -> &MeterOptions {
        &self.options
    }

    /// The route of a template.
    #[inline]
    pub(crate) fn route(&self, template: Option<&str>) -> &'static Route {
        self.routes.get(template)
    }

    /// The route that axum chose.
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

    fn durations(&self) -> Counts {
        std::array::from_fn(|bucket| self.sum(|shard| &shard.durations[bucket]))
    }

    fn open_slots(&self) -> impl Iterator<Item = &OpenSlots> + Clone {
        self.shards.iter().map(|shard| &shard.open)
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Meter {
    /// Makes a meter that lives until the process ends.
    #[must_use]
    pub fn new(options: MeterOptions) -> Self {
        let bounds = options
            .bounds
            .iter()
            .map(|&b| nanos(Duration::try_from_secs_f64(b).unwrap_or(Duration::MAX)));
        Self(Box::leak(Box::new(Inner {
            origin: Instant::now(),
            shards: (0..cells::shard_count()).map(|_| Shard::new()).collect(),
            slot: AtomicU32::new(0),
            routes: Routes::new(options.routes),
            #[cfg(feature = "axum")]
            paths: paths::Paths::new(options.routes),
            bounds: bounds.collect(),
            options,
            baseline: AtomicU64::new(0),
            recent: Mutex::new(Recent {
                windows: Windows::new(),
                turns: Turns::default(),
                slowest: None,
            }),
        })))
    }

    pub(crate) fn inner(self) -> &'static Inner {
        self.0
    }

    /// Cumulative counts since the meter was made.
    #[must_use]
    pub fn totals(&self) -> health::Totals {
        // Errors are read first: a request that ends meanwhile must not show as an error of none.
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
        }
    }

    /// Errors since the start or the last [`reset_errors`](Self::reset_errors).
    #[must_use]
    pub fn error_count(&self) -> u64 {
        self.0
            .errors()
            .saturating_sub(self.0.baseline.load(Relaxed))
    }

    /// Begins `error_count` again at zero and returns what it was. Totals go on.
    pub fn reset_errors(&self) -> u64 {
        let errors = self.0.errors();
        errors.saturating_sub(self.0.baseline.swap(errors, Relaxed))
    }

    /// Requests being served now, bodies included.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        open::count(self.0.open_slots())
    }

    /// Request durations since the meter was made.
    #[must_use]
    pub fn latency(&self) -> Latency {
        durations::latency(&self.0.durations())
    }

    /// Takes the samples that [`windows`](Self::windows) and [`oldest_in_flight`](Self::oldest_in_flight) are
    /// made of. To be called about four times a second, off the app's runtime; `now` must not go
    /// back.
    pub fn tick(&self, now: Instant) {
        let at = now.saturating_duration_since(self.0.origin);
        let errors = self.0.errors();
        let panics = self.0.sum(|shard| &shard.panics);
        let mut recent = self.0.recent();
        let (in_flight, slowest) = recent.turns.turn(at, self.0.open_slots(), &self.0.slot);
        let durations = self.0.durations();
        recent.slowest = slowest;
        recent.windows.push(Sample {
            at,
            errors,
            panics,
            durations,
            in_flight,
        });
    }

    /// Recent figures, as of the last tick; nothing before the first. The peak is the highest number
    /// in flight at a tick: what comes and goes between two of them is not seen.
    #[must_use]
    pub fn windows(&self) -> Vec<WindowStats> {
        self.0.recent().windows.stats()
    }

    /// Age of the request that has been open for longest, as of the last tick, rounded down: by the
    /// time between two ticks at most, and by a minute from 2048 ticks on. One that is open for more
    /// than 34 hours is told as younger.
    #[must_use]
    pub fn oldest_in_flight(&self) -> Option<Duration> {
        self.0.recent().slowest
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("totals", &self.totals())
            .finish_non_exhaustive()
    }
}
