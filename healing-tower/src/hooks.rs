//! Recovery hooks: the actions of a soft heal.
//!
//! Resetting a counter repairs nothing; dropping a poisoned cache or rebuilding a pool may. The owner
//! registers such actions by name with [`Builder::soft_heal`](crate::Builder::soft_heal). A soft heal
//! runs them in the order of registration, on the app's own runtime, each with its own time limit, and
//! reports the outcome of each.
//!
//! # Hazards
//!
//! A hook must be idempotent, because it may run again after it succeeded. A hook that blocks its thread
//! cannot be cancelled. After its time limit it is reported as failed and keeps running, and it is not
//! started again while that run continues. With `panic = "abort"` a panic in a hook aborts the process.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use healing_wire::heal::HookOutcome;
use healing_wire::health::HookReport;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::deferred_log;
use crate::job::{Job, JobError, JobResult, joined_result};
use crate::lock::lock;

/// Options of one hook.
///
/// ```
/// use healing_tower::HookOptions;
/// use std::time::Duration;
///
/// let options = HookOptions::default().timeout(Duration::from_secs(20));
/// # let _ = options;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct HookOptions {
    timeout: Duration,
}

impl Default for HookOptions {
    /// Returns a time limit of 5 s.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
        }
    }
}

impl HookOptions {
    /// Sets the time limit, after which the hook has failed and is cancelled.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// One registered recovery hook and its statistics.
#[derive(Debug)]
pub(crate) struct Hook {
    name: String,
    options: HookOptions,
    job: Job,
    runs: AtomicU64,
    failures: AtomicU64,
    /// Run that exceeded its time limit and has not finished yet.
    still_running: Mutex<Option<JoinHandle<JobResult>>>,
}

impl Hook {
    pub(crate) fn new(name: String, options: HookOptions, job: Job) -> Self {
        Self {
            name,
            options,
            job,
            runs: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            still_running: Mutex::new(None),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    async fn run(&self, runtime: &Handle) -> HookOutcome {
        let begin = Instant::now();
        let result = self.attempt(runtime).await;
        self.runs.fetch_add(1, Ordering::Relaxed);
        let error = result.err().map(|error| error.to_string());
        if let Some(error) = error.clone() {
            self.failures.fetch_add(1, Ordering::Relaxed);
            let hook = self.name.clone();
            deferred_log::emit(move || tracing::warn!(hook, error, "a recovery hook failed"));
        }
        HookOutcome {
            name: self.name.clone(),
            ok: error.is_none(),
            seconds: begin.elapsed().as_secs_f64(),
            error,
        }
    }

    async fn attempt(&self, runtime: &Handle) -> JobResult {
        if self.is_still_running() {
            return Err(JobError::StillRunning);
        }
        let mut task = self.job.spawn_on(runtime);
        if let Ok(joined) = tokio::time::timeout(self.options.timeout, &mut task).await {
            return joined_result(joined);
        }
        task.abort();
        *lock(&self.still_running) = Some(task);
        Err(JobError::TimedOut(self.options.timeout))
    }

    fn is_still_running(&self) -> bool {
        let mut task = lock(&self.still_running);
        if task.as_ref().is_some_and(JoinHandle::is_finished) {
            *task = None;
        }
        task.is_some()
    }

    fn report(&self) -> HookReport {
        HookReport {
            name: self.name.clone(),
            runs_total: self.runs.load(Ordering::Relaxed),
            failures_total: self.failures.load(Ordering::Relaxed),
        }
    }
}

/// All hooks of one app, in order, with one soft heal at a time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hooks {
    hooks: Arc<Vec<Hook>>,
    healing: Arc<AtomicBool>,
}

/// Error of a soft heal that begins while another is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another soft heal is running; wait for its response")]
pub(crate) struct AlreadyHealing;

impl Hooks {
    pub(crate) fn new(hooks: Vec<Hook>) -> Self {
        Self {
            hooks: Arc::new(hooks),
            healing: Arc::default(),
        }
    }

    /// Begins a soft heal.
    ///
    /// # Errors
    ///
    /// Returns an error if another soft heal is running.
    pub(crate) fn begin(&self) -> Result<SoftHeal, AlreadyHealing> {
        match self
            .healing
            .compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => Ok(SoftHeal {
                hooks: self.clone(),
            }),
            Err(_) => Err(AlreadyHealing),
        }
    }

    pub(crate) fn report(&self) -> Vec<HookReport> {
        self.hooks.iter().map(Hook::report).collect()
    }
}

/// Running soft heal; the next can begin once this is dropped.
#[derive(Debug)]
pub(crate) struct SoftHeal {
    hooks: Hooks,
}

impl SoftHeal {
    /// Runs every hook in order, even after one has failed.
    pub(crate) async fn run(&self, runtime: &Handle) -> Vec<HookOutcome> {
        let mut outcomes = Vec::with_capacity(self.hooks.hooks.len());
        for hook in self.hooks.hooks.iter() {
            outcomes.push(hook.run(runtime).await);
        }
        outcomes
    }
}

impl Drop for SoftHeal {
    fn drop(&mut self) {
        self.hooks.healing.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
