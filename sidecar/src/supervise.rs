//! Restart of a task after a panic.

use std::time::Duration;

use tokio::time::sleep;

/// Runs the task that `start` creates until it returns. After a panic, calls `on_panic`, waits for
/// `delay` and starts a new task.
pub(crate) async fn supervise<T, Fut>(
    mut start: impl FnMut() -> Fut,
    mut on_panic: impl FnMut(),
    delay: Duration,
) -> T
where
    T: Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    loop {
        // Nothing aborts this task, so a failed join is a panic.
        match tokio::spawn(start()).await {
            Ok(result) => return result,
            Err(error) => {
                tracing::error!(%error, "the control loop panicked and is restarted from its saved state");
                on_panic();
            }
        }
        sleep(delay).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn supervise_restarts_task_after_each_panic() {
        let (starts, panics) = (Cell::new(0), Cell::new(0));
        let begin = Instant::now();
        let result = supervise(
            || {
                starts.set(starts.get() + 1);
                let start = starts.get();
                async move {
                    tokio::task::yield_now().await;
                    assert!(start > 2, "panic of a test task");
                    "done"
                }
            },
            || panics.set(panics.get() + 1),
            Duration::from_secs(5),
        )
        .await;
        assert_eq!((result, starts.get(), panics.get()), ("done", 3, 2));
        assert_eq!(begin.elapsed(), Duration::from_secs(10), "not a tight loop");
    }
}
