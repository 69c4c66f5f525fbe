//! Polling for an expected observation, for a bounded time.

use std::time::{Duration, Instant};

/// Interval between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Error of an expected observation that was not made before the timeout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} was not seen within {timeout:?}")]
pub struct WaitTimeout {
    what: String,
    timeout: Duration,
}

/// Polls until `poll` returns a value.
///
/// # Errors
///
/// Returns an error that names `what` if `poll` has returned no value at the timeout.
pub async fn poll_until<T>(
    what: &str,
    timeout: Duration,
    mut poll: impl AsyncFnMut() -> Option<T>,
) -> Result<T, WaitTimeout> {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(value) = poll().await {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            return Err(WaitTimeout {
                what: what.to_owned(),
                timeout,
            });
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
