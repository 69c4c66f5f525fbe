//! Outcomes of requests, by cause and time.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Outcome of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Complete response with a status below 500.
    Ok,
    /// Complete response with a status of 500 or above.
    ServerError,
    /// Connection refused.
    Refused,
    /// Connection lost before the response was complete.
    Reset,
    /// No complete response within the client's timeout.
    TimedOut,
    /// Failure of the generator itself, for example for lack of descriptors.
    Client,
}

/// Number of requests by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Complete responses with a status below 500.
    pub ok: u64,
    /// Responses with a status of 500 or above.
    pub server_error: u64,
    /// Refused connections.
    pub refused: u64,
    /// Lost connections.
    pub reset: u64,
    /// Requests without a complete response within the timeout.
    pub timed_out: u64,
    /// Failures of the generator itself.
    pub client: u64,
}

impl Counts {
    fn add(&mut self, cause: Cause) {
        let count = match cause {
            Cause::Ok => &mut self.ok,
            Cause::ServerError => &mut self.server_error,
            Cause::Refused => &mut self.refused,
            Cause::Reset => &mut self.reset,
            Cause::TimedOut => &mut self.timed_out,
            Cause::Client => &mut self.client,
        };
        *count += 1;
    }

    /// Returns the number of requests.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.ok + self.failed() + self.client
    }

    /// Returns the number of requests that failed, without failures of the generator itself.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.server_error + self.refused + self.reset + self.timed_out
    }

    /// Returns the share of requests that succeeded, or `None` without requests.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn ok_share(&self) -> Option<f64> {
        (self.total() > 0).then(|| self.ok as f64 / self.total() as f64)
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.failed(), self.total())?;
        let causes = [
            ("5xx", self.server_error),
            ("refused", self.refused),
            ("reset", self.reset),
            ("timed out", self.timed_out),
        ];
        let named: Vec<String> = causes
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        if named.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", named.join(", "))
    }
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    intended: Duration,
    latency: Duration,
    cause: Cause,
}

#[derive(Debug, Default)]
struct Samples {
    all: Vec<Sample>,
    worst_lag: Duration,
}

/// Samples of a load; clones share them.
#[derive(Debug, Clone)]
pub struct Recorder {
    start: Instant,
    samples: Arc<Mutex<Samples>>,
}

impl Recorder {
    /// Returns an empty recorder whose time starts when it is created.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            samples: Arc::default(),
        }
    }

    /// Returns the moment that all times are relative to.
    #[must_use]
    pub fn start(&self) -> Instant {
        self.start
    }

    /// Adds a request that has finished.
    pub(super) fn add(&self, intended: Instant, cause: Cause) {
        let sample = Sample {
            intended: intended.saturating_duration_since(self.start),
            latency: intended.elapsed(),
            cause,
        };
        self.lock().all.push(sample);
    }

    /// Records a delay of the generator itself.
    pub(super) fn lag(&self, lag: Duration) {
        let mut samples = self.lock();
        samples.worst_lag = samples.worst_lag.max(lag);
    }

    /// Returns the largest delay between an intended and the actual start of a request.
    #[must_use]
    pub fn worst_lag(&self) -> Duration {
        self.lock().worst_lag
    }

    /// Counts the requests whose intended start lies in the range.
    #[must_use]
    pub fn counts(&self, range: &Range<Duration>) -> Counts {
        let mut counts = Counts::default();
        for sample in &self.lock().all {
            if range.contains(&sample.intended) {
                counts.add(sample.cause);
            }
        }
        counts
    }

    /// Returns a quantile of the latencies of the requests whose intended start lies in the range,
    /// or `None` without requests.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into the samples"
    )]
    pub fn latency(&self, quantile: f64, range: &Range<Duration>) -> Option<Duration> {
        let mut latencies: Vec<Duration> = self
            .lock()
            .all
            .iter()
            .filter(|sample| range.contains(&sample.intended))
            .map(|sample| sample.latency)
            .collect();
        latencies.sort_unstable();
        let last = latencies.len().checked_sub(1)?;
        latencies
            .get((last as f64 * quantile.clamp(0.0, 1.0)).round() as usize)
            .copied()
    }

    fn lock(&self) -> MutexGuard<'_, Samples> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}
