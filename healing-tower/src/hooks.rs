//! Recovery hooks: what a soft heal really does.
//!
//! Zeroing a counter heals nothing; dropping a poisoned cache or rebuilding a pool may. The owner
//! registers such actions by name with
//! [`Builder::soft_heal`](crate::Builder::soft_heal); a soft heal runs them in the order in which
//! they were registered, on the app's own runtime, each with its own time limit, and reports each.
//!
//! # Hazards
//! A hook must be idempotent: it may be run again after it succeeded. One that blocks its thread
//! cannot be cancelled; when its time is up it is reported, left behind, and not started again
//! while it still runs. With `panic = "abort"` a panic in a hook ends the process.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use healing_core::health::{HookOutcome, HookReport};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::deferred_log;
use crate::job::{Job, ended};

/// How a hook is run.
///
/// ```
/// use healing_tower::HookOptions;
/// use std::time::Duration;
///
/// let patient = HookOptions::default().timeout(Duration::from_secs(20));
/// # let _ = patient;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct HookOptions {
    timeout: Duration,
}

impl Default for HookOptions {
    /// A time limit of 5 s.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
        }
    }
}

impl HookOptions {
    /// After this long the hook counts as failed and is cancelled.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

#[derive(Debug)]
pub(crate) struct Hook {
    name: String,
    options: HookOptions,
    job: Job,
    runs: AtomicU64,
    failures: AtomicU64,
    /// A run whose time was up and that could not be cancelled yet.
    left_behind: Mutex<Option<JoinHandle<Result<(), String>>>>,
}

impl Hook {
    pub(crate) fn new(name: String, options: HookOptions, job: Job) -> Self {
        Self {
            name,
            options,
            job,
            runs: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            left_behind: Mutex::new(None),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    async fn run(&self, runtime: &Handle) -> HookOutcome {
        let begin = Instant::now();
        let result = self.attempt(runtime).await;
        self.runs.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = &result {
            self.failures.fetch_add(1, Ordering::Relaxed);
            let (hook, error) = (self.name.clone(), error.clone());
            deferred_log::emit(move || tracing::warn!(hook, error, "a recovery hook failed"));
        }
        HookOutcome {
            name: self.name.clone(),
            ok: result.is_ok(),
            seconds: begin.elapsed().as_secs_f64(),
            error: result.err(),
        }
    }

    async fn attempt(&self, runtime: &Handle) -> Result<(), String> {
        if self.is_left_behind() {
            return Err("still running from an earlier heal; not started again".to_owned());
        }
        let mut task = self.job.spawn_on(runtime);
        if let Ok(joined) = tokio::time::timeout(self.options.timeout, &mut task).await {
            return ended(joined)
                .unwrap_or_else(|| Err("the app's runtime ended before it".to_owned()));
        }
        task.abort();
        *self
            .left_behind
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(task);
        Err(format!("timed out after {:?}", self.options.timeout))
    }

    fn is_left_behind(&self) -> bool {
        let mut task = self
            .left_behind
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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

/// All hooks of one app, in order, one soft heal at a time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hooks {
    hooks: Arc<Vec<Hook>>,
    healing: Arc<AtomicBool>,
}

/// A heal is running already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AlreadyHealing;

impl Hooks {
    pub(crate) fn new(hooks: Vec<Hook>) -> Self {
        Self {
            hooks: Arc::new(hooks),
            healing: Arc::default(),
        }
    }

    /// Begins a heal, unless one is running.
    pub(crate) fn begin(&self) -> Result<Heal, AlreadyHealing> {
        match self
            .healing
            .compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => Ok(Heal {
                hooks: self.clone(),
            }),
            Err(_) => Err(AlreadyHealing),
        }
    }

    pub(crate) fn report(&self) -> Vec<HookReport> {
        self.hooks.iter().map(Hook::report).collect()
    }
}

/// The one running heal; its end, whatever way, lets the next begin.
#[derive(Debug)]
pub(crate) struct Heal {
    hooks: Hooks,
}

impl Heal {
    /// Runs every hook in order, whether or not the one before succeeded.
    pub(crate) async fn run(&self, runtime: &Handle) -> Vec<HookOutcome> {
        let mut outcomes = Vec::with_capacity(self.hooks.hooks.len());
        for hook in self.hooks.hooks.iter() {
            outcomes.push(hook.run(runtime).await);
        }
        outcomes
    }
}

impl Drop for Heal {
    fn drop(&mut self) {
        self.hooks.healing.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
