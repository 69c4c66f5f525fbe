//! Polling for an expected observation, with progress on stderr.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

pub use crate::poll::WaitTimeout;
use crate::poll::poll_until;

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
    poll_until(what, timeout, async || {
        let value = poll().await;
        if value.is_none() {
            progress.show();
        }
        value
    })
    .await
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
