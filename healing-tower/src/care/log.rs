//! The care side's own log lines, written by a thread that may block.
//!
//! A subscriber writes where the owner says, and that may be a pipe which nobody reads: then every
//! worker of the app hangs in it, and the care thread must not hang with them. So it only hands its
//! lines over, to a thread of the process. What does not fit in is dropped, counted, and said once
//! lines are written again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::dispatcher::{Dispatch, get_default, with_default};
use tracing::subscriber::NoSubscriber;

/// Lines that wait to be written.
const MOST: usize = 256;

/// A call of one of `tracing`'s macros, and who is to write it, if anyone. To name nobody would look
/// to `tracing` like a subscriber, and it would no longer hand lines to `log`.
struct Line {
    subscriber: Option<Dispatch>,
    call: Box<dyn FnOnce() + Send>,
}

static LINES: OnceLock<Lines> = OnceLock::new();

/// Has the line written soon, by the subscriber of the thread that says it. Never blocks.
pub(crate) fn say(line: impl FnOnce() + Send + 'static) {
    LINES.get_or_init(|| Lines::start(MOST)).say(line);
}

/// Waits until what was said before is written, but no longer than this.
pub(super) fn written(within: Duration) {
    let (tell, told) = sync_channel(1);
    say(move || {
        let _ = tell.send(());
    });
    let _ = told.recv_timeout(within);
}

/// The way to the logging thread.
struct Lines {
    queue: SyncSender<Line>,
    dropped: Arc<AtomicU64>,
}

impl Lines {
    fn start(most: usize) -> Self {
        let (queue, lines) = sync_channel(most);
        let dropped = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&dropped);
        // Where no thread can be had, every line is one that was dropped.
        let _ = std::thread::Builder::new()
            .name("healing-log".to_owned())
            .spawn(move || write(&lines, &counted));
        Self { queue, dropped }
    }

    fn say(&self, line: impl FnOnce() + Send + 'static) {
        let line = Line {
            subscriber: get_default(|subscriber| {
                (!subscriber.is::<NoSubscriber>()).then(|| subscriber.clone())
            }),
            call: Box::new(line),
        };
        if self.queue.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write(lines: &Receiver<Line>, dropped: &AtomicU64) {
    for Line { subscriber, call } in lines {
        let speak = || {
            call();
            let lost = dropped.swap(0, Ordering::Relaxed);
            if lost > 0 {
                tracing::warn!(lines = lost, "log lines of the care thread were dropped");
            }
        };
        let written = || match &subscriber {
            Some(subscriber) => with_default(subscriber, speak),
            None => speak(),
        };
        // A subscriber that panics loses its line; the next may be written.
        if catch_unwind(AssertUnwindSafe(written)).is_err() {
            dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
