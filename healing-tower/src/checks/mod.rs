//! Health checks of the app's dependencies and parts.
//!
//! There are two kinds. A **dependency** is outside the process (a database, another service) and is
//! checked over a connection of the check's own. While it fails, a restart would not help, so the doctor
//! vetoes restarts, unless the dependency is [optional](CheckOptions::optional). The doctor ignores results older than 60 s, so keep the interval well below that. A
//! **local** check examines something inside the process (a pool, a queue). It never vetoes a restart,
//! because a restart may help. A check through the app's own pool is local even if the pool connects to a
//! dependency, because it also fails when the pool is exhausted, which a restart may repair.
//!
//! Each check runs independently on the app's runtime, at its own interval, never twice at once. Reports
//! contain the last result, so probes never wait for a slow dependency, and a check that never finishes
//! does not delay the others. Readiness depends only on the checks that opted in
//! ([`CheckOptions::readiness`]), liveness on none.
//!
//! # Hazards
//!
//! Readiness that depends on something shared takes *every* replica out of service at once when it
//! fails; opt in only if the app truly cannot serve without it. With `panic = "abort"` a panic in a check
//! aborts the process.

mod events;
mod runner;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use healing_wire::health::{CheckKind, CheckReport, CheckState};

pub use events::{CheckEvent, CheckEvents};
pub(crate) use runner::run_checks;

use crate::deferred_log;
use crate::job::{Job, JobResult};
use crate::lock::lock;

/// Options of one check.
///
/// ```
/// use healing_tower::CheckOptions;
/// use std::time::Duration;
///
/// let options = CheckOptions::default().interval(Duration::from_secs(2)).readiness(true);
/// # let _ = options;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct CheckOptions {
    timeout: Duration,
    interval: Duration,
    readiness: bool,
    optional: bool,
}

impl Default for CheckOptions {
    /// Returns an interval of 10 s and a time limit of 2 s, without effect on readiness; a dependency is
    /// required.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(2),
            interval: Duration::from_secs(10),
            readiness: false,
            optional: false,
        }
    }
}

impl CheckOptions {
    /// Sets the time limit, after which the check has failed and is cancelled.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the time from the start of one run to the start of the next, 10 ms to a day. The last result
    /// is kept in between.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.clamp(Duration::from_millis(10), Duration::from_secs(24 * 3600));
        self
    }

    /// Marks a dependency without which the app still works, so that its failure does not veto restarts. It
    /// has no effect on a local check, which never does.
    pub fn optional(mut self, optional: bool) -> Self {
        self.optional = optional;
        self
    }

    /// Makes `/readyz` 503 until the check has passed, and while it fails.
    pub fn readiness(mut self, readiness: bool) -> Self {
        self.readiness = readiness;
        self
    }
}

/// State after the last run; unknown before the first.
#[derive(Debug, Clone)]
struct LastResult {
    state: CheckState,
    at: Option<Instant>,
    error: Option<String>,
}

/// One registered check and its last result.
#[derive(Debug)]
pub(crate) struct Check {
    name: String,
    kind: CheckKind,
    options: CheckOptions,
    job: Job,
    last: Mutex<LastResult>,
}

impl Check {
    pub(crate) fn new(name: String, kind: CheckKind, options: CheckOptions, job: Job) -> Self {
        let last = Mutex::new(LastResult {
            state: CheckState::Unknown,
            at: None,
            error: None,
        });
        Self {
            name,
            kind,
            options,
            job,
            last,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn last(&self) -> LastResult {
        lock(&self.last).clone()
    }

    fn report(&self, now: Instant) -> CheckReport {
        let LastResult { state, at, error } = self.last();
        CheckReport {
            name: self.name.clone(),
            kind: self.kind,
            optional: self.options.optional && self.kind == CheckKind::Dependency,
            state,
            age_seconds: at.map(|at| now.saturating_duration_since(at).as_secs_f64()),
            error,
        }
    }
}

/// All checks of one app.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checks {
    checks: Arc<Vec<Arc<Check>>>,
    events: events::Sender,
}

impl Checks {
    pub(crate) fn new(checks: Vec<Check>) -> Self {
        Self {
            checks: Arc::new(checks.into_iter().map(Arc::new).collect()),
            events: events::Sender::default(),
        }
    }

    pub(crate) fn report(&self, now: Instant) -> Vec<CheckReport> {
        self.checks.iter().map(|check| check.report(now)).collect()
    }

    pub(crate) fn subscribe(&self) -> CheckEvents {
        self.events.subscribe()
    }

    /// Returns the names of the checks that opted in to readiness and have not passed.
    pub(crate) fn unready(&self) -> Vec<String> {
        self.checks
            .iter()
            .filter(|check| check.options.readiness && check.last().state != CheckState::Passing)
            .map(|check| check.name.clone())
            .collect()
    }

    /// Stores a result, and logs and publishes it if it differs from the previous one.
    fn record(&self, check: &Check, result: JobResult, now: Instant) {
        let to = if result.is_ok() {
            CheckState::Passing
        } else {
            CheckState::Failing
        };
        let error = result.err().map(|error| error.to_string());
        let from = {
            let mut last = lock(&check.last);
            let from = last.state;
            *last = LastResult {
                state: to,
                at: Some(now),
                error: error.clone(),
            };
            from
        };
        if from == to {
            return;
        }
        let (name, logged) = (check.name.clone(), error.clone());
        deferred_log::emit(move || match logged {
            Some(error) => tracing::warn!(check = name, error, "check is failing"),
            None => tracing::info!(check = name, "check is passing"),
        });
        self.events.send(CheckEvent {
            name: check.name.clone(),
            kind: check.kind,
            from,
            to,
            error,
        });
    }
}

#[cfg(test)]
mod tests;
