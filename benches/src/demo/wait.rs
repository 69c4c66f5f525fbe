//! Polling for an expected observation.

use std::io::{self, IsTerminal, Write};
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

/// Polls until `poll` returns a value. Prints on stderr what it waits for, on a terminal in a line that is
/// erased at the end, elsewhere only after a long wait.
///
/// # Errors
///
/// Returns an error if `poll` has returned no value at the timeout.
pub async fn wait_for<T>(
    what: &str,
    timeout: Duration,
    mut poll: impl AsyncFnMut() -> Option<T>,
) -> Result<T, WaitTimeout> {
    let mut progress = Progress::new(what);
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
        progress.show();
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Interval between progress lines in a log.
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// Interval between updates of the progress line on a terminal.
const TERMINAL_INTERVAL: Duration = Duration::from_millis(100);

/// Progress line of a wait.
struct Progress<'a> {
    what: &'a str,
    started: Instant,
    shown: Option<Instant>,
    terminal: bool,
}

impl<'a> Progress<'a> {
    fn new(what: &'a str) -> Self {
        let terminal = io::stderr().is_terminal();
        Self {
            what,
            started: Instant::now(),
            shown: None,
            terminal,
        }
    }

    fn show(&mut self) {
        let interval = if self.terminal {
            TERMINAL_INTERVAL
        } else {
            LOG_INTERVAL
        };
        if self.shown.unwrap_or(self.started).elapsed() < interval {
            return;
        }
        self.shown = Some(Instant::now());
        let waited = self.started.elapsed().as_secs_f64();
        let what = self.what;
        let _ = if self.terminal {
            write!(io::stderr(), "\r\x1b[K           … {what} ({waited:.1} s)")
        } else {
            writeln!(
                io::stderr(),
                "           … still waiting for {what} ({waited:.0} s)"
            )
        };
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.terminal && self.shown.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
