//! Waiting for a condition, for a bounded time.

use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(20);

/// Waits until `look` returns something; an error that names `what` if it does not in time.
pub(super) async fn until<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> Result<T, String> {
    let end = Instant::now() + within;
    loop {
        if let Some(seen) = look().await {
            return Ok(seen);
        }
        if Instant::now() >= end {
            return Err(format!("{what} was not seen within {within:?}"));
        }
        tokio::time::sleep(LOOK).await;
    }
}
