//! The owner's code: an async function that may fail, hang or panic, and runs on the owner's
//! runtime.

use std::any::Any;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};

type Boxed = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// A hook's or a check's function.
#[derive(Clone)]
pub(crate) struct Job(Arc<dyn Fn() -> Boxed + Send + Sync>);

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
            // Called inside the future, so that a panic of the call itself is the task's too.
            Box::pin(async move { function().await.map_err(|error| error.to_string()) })
        }))
    }

    /// Starts it as a task of `runtime`.
    pub(crate) fn spawn_on(&self, runtime: &Handle) -> JoinHandle<Result<(), String>> {
        runtime.spawn((self.0)())
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

/// How a task of the owner's ended; absent where its runtime ended first.
pub(crate) fn ended(joined: Result<Result<(), String>, JoinError>) -> Option<Result<(), String>> {
    match joined {
        Ok(result) => Some(result),
        Err(error) if error.is_panic() => Some(Err(format!(
            "panicked: {}",
            panic_text(&*error.into_panic())
        ))),
        Err(_) => None,
    }
}

/// What a panic said.
fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with something that is not text")
}
