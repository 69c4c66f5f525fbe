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
            tracing::warn!(hook = self.name, error, "a recovery hook failed");
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
mod tests {
    use super::*;
    use std::convert::Infallible;
    use tokio::sync::Semaphore;

    fn hook<F, Fut, E>(name: &str, function: F) -> Hook
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display,
    {
        Hook::new(name.to_owned(), HookOptions::default(), Job::new(function))
    }

    #[tokio::test(start_paused = true)]
    async fn each_hook_is_run_in_order_and_reported_whatever_the_others_do() {
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |name: &'static str| {
            let order = Arc::clone(&order);
            move || order.lock().expect("not poisoned").push(name)
        };
        let (first, second, third, fourth) =
            (note("fails"), note("panics"), note("hangs"), note("works"));
        let hooks = Hooks::new(vec![
            hook("fails", move || {
                first();
                async { Err("no such pool") }
            }),
            hook("panics", move || {
                second();
                async {
                    if true {
                        panic!("bad day {}", 7);
                    }
                    Ok::<(), Infallible>(())
                }
            }),
            hook("hangs", move || {
                third();
                std::future::pending::<Result<(), Infallible>>()
            }),
            hook("works", move || {
                fourth();
                async { Ok::<(), Infallible>(()) }
            }),
        ]);
        let heal = hooks.begin().expect("none is running");
        let outcomes = heal.run(&Handle::current()).await;
        let told: Vec<_> = outcomes
            .iter()
            .map(|o| (o.name.as_str(), o.ok, o.error.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("fails", false, Some("no such pool")),
                ("panics", false, Some("panicked: bad day 7")),
                ("hangs", false, Some("timed out after 5s")),
                ("works", true, None),
            ]
        );
        assert_eq!(
            *order.lock().expect("not poisoned"),
            ["fails", "panics", "hangs", "works"]
        );
        let failures: Vec<_> = hooks
            .report()
            .iter()
            .map(|r| (r.runs_total, r.failures_total))
            .collect();
        assert_eq!(failures, [(1, 1), (1, 1), (1, 1), (1, 0)]);
    }

    #[tokio::test]
    async fn one_heal_at_a_time() {
        let hooks = Hooks::new(Vec::new());
        let heal = hooks.begin().expect("none is running");
        assert_eq!(hooks.begin().err(), Some(AlreadyHealing));
        drop(heal);
        assert!(hooks.begin().is_ok());
    }

    #[tokio::test]
    async fn a_hook_that_cannot_be_cancelled_is_not_started_twice() {
        let blocked = Arc::new((Mutex::new(true), std::sync::Condvar::new()));
        let started = Arc::new(Semaphore::new(0));
        let (gate, count) = (Arc::clone(&blocked), Arc::clone(&started));
        let hooks = Hooks::new(vec![Hook::new(
            "blocks".to_owned(),
            HookOptions::default().timeout(Duration::from_millis(50)),
            Job::new(move || {
                let gate = Arc::clone(&gate);
                count.add_permits(1);
                async move {
                    let mut blocked = gate.0.lock().expect("not poisoned");
                    while *blocked {
                        blocked = gate.1.wait(blocked).expect("not poisoned");
                    }
                    Ok::<(), Infallible>(())
                }
            }),
        )]);
        // A runtime of its own, so that blocking it does not block the test.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .expect("runtime");
        let run = async || {
            hooks
                .begin()
                .expect("free")
                .run(runtime.handle())
                .await
                .remove(0)
        };
        assert!(
            run()
                .await
                .error
                .is_some_and(|error| error.contains("timed out"))
        );
        assert!(
            run()
                .await
                .error
                .is_some_and(|error| error.contains("still running"))
        );
        assert_eq!(started.available_permits(), 1);

        *blocked.0.lock().expect("not poisoned") = false;
        blocked.1.notify_all();
        while hooks.hooks[0].is_left_behind() {
            tokio::task::yield_now().await;
        }
        assert!(run().await.ok);
        runtime.shutdown_background();
    }
}
