//! Progress on stderr: a bar on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Characters of the bar.
const WIDTH: usize = 30;
/// Time between two updates of the bar.
const REFRESH: Duration = Duration::from_millis(200);

/// Progress of a run.
pub(crate) struct Progress {
    began: Instant,
    is_terminal: bool,
    last: Mutex<LastReport>,
}

/// Progress that was last shown.
struct LastReport {
    at: Option<Instant>,
    done: usize,
}

impl Progress {
    /// Returns the progress of a run that begins.
    pub(crate) fn new() -> Self {
        let (at, done) = (None, 0);
        Self {
            began: clock(),
            is_terminal: io::stderr().is_terminal(),
            last: Mutex::new(LastReport { at, done }),
        }
    }

    /// Shows the progress, unless it was shown a moment ago or another thread has shown a later one.
    pub(crate) fn show(&self, done: usize, all: usize) {
        let Ok(mut last) = self.last.lock() else {
            return;
        };
        let is_due = if self.is_terminal {
            done == all || last.at.is_none_or(|at| at.elapsed() >= REFRESH)
        } else {
            tenths(done, all) > tenths(last.done, all)
        };
        if done <= last.done || !is_due {
            return;
        }
        let at = Some(clock());
        *last = LastReport { at, done };
        let line = line(done, all, self.began.elapsed());
        let mut stderr = io::stderr().lock();
        // Progress that cannot be shown does not matter.
        let _ = if self.is_terminal {
            let end = if done == all { "\n" } else { "" };
            write!(stderr, "\r{} {line}\x1b[K{end}", bar(done, all))
        } else {
            writeln!(stderr, "{line}")
        };
        let _ = stderr.flush();
    }
}

/// Reads the clock for the time left, which a person reads and no decision uses.
#[allow(clippy::disallowed_methods)]
fn clock() -> Instant {
    Instant::now()
}

fn tenths(done: usize, all: usize) -> usize {
    10 * done / all.max(1)
}

fn bar(done: usize, all: usize) -> String {
    let filled = (WIDTH * done / all.max(1)).min(WIDTH);
    format!("[{}{}]", "#".repeat(filled), "-".repeat(WIDTH - filled))
}

/// Returns the numbers of episodes and the time left, in proportion to the time so far.
#[allow(clippy::cast_precision_loss)] // episodes
fn line(done: usize, all: usize, elapsed: Duration) -> String {
    let left = all.saturating_sub(done) as f64 / done.max(1) as f64;
    let seconds = (elapsed.as_secs_f64() * left).round();
    let left = if seconds < 120.0 {
        format!("{seconds} s")
    } else {
        format!("{:.0} min", seconds / 60.0)
    };
    format!("{done}/{all} episodes, {left} left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_is_filled_in_proportion() {
        assert_eq!(bar(0, 4), format!("[{}]", "-".repeat(WIDTH)));
        assert_eq!(bar(4, 4), format!("[{}]", "#".repeat(WIDTH)));
        assert!(bar(2, 4).contains("##--"));
    }

    #[test]
    fn time_left_is_in_proportion_to_time_so_far() {
        let after = |done| line(done, 100, Duration::from_secs(60));
        assert_eq!(after(50), "50/100 episodes, 60 s left");
        assert_eq!(after(10), "10/100 episodes, 9 min left");
        assert_eq!(after(100), "100/100 episodes, 0 s left");
    }

    #[test]
    fn plain_lines_come_at_each_tenth() {
        let lines = (1..=400).filter(|&done| tenths(done, 400) > tenths(done - 1, 400));
        assert_eq!(lines.count(), 10);
    }
}
