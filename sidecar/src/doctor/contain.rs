//! A panic in the loop is the loop's end, not the doctor's.

use std::time::Duration;

use tokio::time::sleep;

/// Run what `start` makes until it returns; when it panics, say so to `panicked`, wait, and start
/// again.
pub(super) async fn contain<T, Fut>(
    mut start: impl FnMut() -> Fut,
    mut panicked: impl FnMut(),
    pause: Duration,
) -> T
where
    T: Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    loop {
        // Nobody aborts this task: a failed join is a panic.
        match tokio::spawn(start()).await {
            Ok(done) => return done,
            Err(error) => {
                tracing::error!(%error, "the loop panicked; it starts again from its saved state");
                panicked();
            }
        }
        sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_counted_and_followed_by_a_new_start() {
        let (starts, panics) = (Cell::new(0), Cell::new(0));
        let begin = Instant::now();
        let done = contain(
            || {
                starts.set(starts.get() + 1);
                let start = starts.get();
                async move {
                    tokio::task::yield_now().await;
                    assert!(start > 2, "an illness of the doctor's own");
                    "done"
                }
            },
            || panics.set(panics.get() + 1),
            Duration::from_secs(5),
        )
        .await;
        assert_eq!((done, starts.get(), panics.get()), ("done", 3, 2));
        assert_eq!(begin.elapsed(), Duration::from_secs(10), "not a tight loop");
    }
}
