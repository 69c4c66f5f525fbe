//! Async function of the app's owner, which may fail, never finish or panic, and runs on the app's runtime.

use std::any::Any;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};

/// Failure of one run of a job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JobError {
    /// The job's own error, as text.
    #[error("{0}")]
    Failed(String),
    /// The job panicked with this message.
    #[error("panicked: {0}")]
    Panicked(String),
    /// The job exceeded its time limit.
    #[error("timed out after {0:?}")]
    TimedOut(Duration),
    /// An earlier run, which exceeded its time limit, has not finished.
    #[error("still running from an earlier heal; not started again")]
    StillRunning,
    /// The app's runtime cancelled the run.
    #[error("the app's runtime shut down before the run finished")]
    RuntimeShutDown,
}

pub(crate) type JobResult = Result<(), JobError>;

type BoxFuture = Pin<Box<dyn Future<Output = JobResult> + Send>>;

/// Function of a hook or a check.
#[derive(Clone)]
pub(crate) struct Job(Arc<dyn Fn() -> BoxFuture + Send + Sync>);

impl Job {
    pub(crate) fn new<F, Fut, E>(function: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        let function = Arc::new(function);
        Self(Arc::new(move || {
            let function = Arc::clone(&function);
            // Called inside the future, so that a panic of the call itself is a panic of the task.
            Box::pin(async move {
                function()
                    .await
                    .map_err(|error| JobError::Failed(error.to_string()))
            })
        }))
    }

    /// Starts a run as a task of `runtime`.
    pub(crate) fn spawn_on(&self, runtime: &Handle) -> JoinHandle<JobResult> {
        runtime.spawn((self.0)())
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

/// Returns the result of a run from that of its task; a cancelled task means that its runtime has shut
/// down.
pub(crate) fn joined_result(joined: Result<JobResult, JoinError>) -> JobResult {
    match joined {
        Ok(result) => result,
        Err(error) if error.is_panic() => Err(JobError::Panicked(
            panic_message(&*error.into_panic()).to_owned(),
        )),
        Err(_) => Err(JobError::RuntimeShutDown),
    }
}

/// Returns the message of a panic.
fn panic_message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("<non-string payload>")
}
