//! Waiting for what can be observed, never for time to pass.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// What was waited for did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSeen {
    what: String,
    within: Duration,
}

impl std::fmt::Display for NotSeen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was not seen within {:?}", self.what, self.within)
    }
}

impl std::error::Error for NotSeen {}

impl From<NotSeen> for String {
    fn from(not_seen: NotSeen) -> Self {
        not_seen.to_string()
    }
}

/// Looks until `look` gives something, and says on stderr what it waits for: on a terminal in a
/// line that goes away again, elsewhere only when it takes long.
///
/// # Errors
/// The deadline passed before.
pub async fn until<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> Result<T, NotSeen> {
    let mut progress = Progress::of(what);
    let deadline = Instant::now() + within;
    loop {
        if let Some(seen) = look().await {
            return Ok(seen);
        }
        if Instant::now() >= deadline {
            return Err(NotSeen {
                what: what.to_owned(),
                within,
            });
        }
        progress.show();
        tokio::time::sleep(LOOK).await;
    }
}

/// Where nothing happens for this long, a reader of a log wants to know why.
const LONG: Duration = Duration::from_secs(10);
/// A terminal's line changes this often.
const REFRESH: Duration = Duration::from_millis(100);

/// The line that says what is waited for.
struct Progress<'a> {
    what: &'a str,
    began: Instant,
    shown: Option<Instant>,
    terminal: bool,
}

impl<'a> Progress<'a> {
    fn of(what: &'a str) -> Self {
        let terminal = io::stderr().is_terminal();
        Self {
            what,
            began: Instant::now(),
            shown: None,
            terminal,
        }
    }

    fn show(&mut self) {
        let pause = if self.terminal { REFRESH } else { LONG };
        if self.shown.unwrap_or(self.began).elapsed() < pause {
            return;
        }
        self.shown = Some(Instant::now());
        let waited = self.began.elapsed().as_secs_f64();
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
