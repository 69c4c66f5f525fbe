//! Log lines of the care thread, written by a separate thread that may block.
//!
//! A subscriber may write to a pipe without a reader. Every worker of the app that logs then blocks, but
//! the care thread must not. It therefore queues its lines for one logging thread per process. Lines that
//! do not fit into the queue are dropped and counted; the count is logged with the next line that is
//! written.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::dispatcher::{Dispatch, get_default, with_default};
use tracing::subscriber::NoSubscriber;

/// Maximum number of queued lines.
const CAPACITY: usize = 256;

/// Log line: a call of one of `tracing`'s macros, and the subscriber of the calling thread. The subscriber
/// is absent if there is none, because setting `NoSubscriber` as the default would make `tracing` stop
/// passing lines to the `log` crate.
struct LogLine {
    subscriber: Option<Dispatch>,
    call: Box<dyn FnOnce() + Send>,
}

static LOGGER: OnceLock<Logger> = OnceLock::new();

/// Queues a line for the subscriber of the calling thread. Never blocks.
pub(crate) fn emit(line: impl FnOnce() + Send + 'static) {
    LOGGER.get_or_init(|| Logger::start(CAPACITY)).emit(line);
}

/// Waits until all queued lines are written, for `timeout` at most.
pub(crate) fn flush(timeout: Duration) {
    let (written, wait) = sync_channel(1);
    emit(move || {
        let _ = written.send(());
    });
    let _ = wait.recv_timeout(timeout);
}

/// Sending side of the queue to the logging thread.
struct Logger {
    queue: SyncSender<LogLine>,
    dropped: Arc<AtomicU64>,
}

impl Logger {
    fn start(capacity: usize) -> Self {
        let (queue, lines) = sync_channel(capacity);
        let dropped = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&dropped);
        // If the thread cannot be spawned, every line counts as dropped.
        let _ = std::thread::Builder::new()
            .name("healing-log".to_owned())
            .spawn(move || write(&lines, &counter));
        Self { queue, dropped }
    }

    fn emit(&self, line: impl FnOnce() + Send + 'static) {
        let line = LogLine {
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

fn write(lines: &Receiver<LogLine>, dropped: &AtomicU64) {
    for LogLine { subscriber, call } in lines {
        let log = || {
            call();
            let count = dropped.swap(0, Ordering::Relaxed);
            if count > 0 {
                tracing::warn!(lines = count, "log lines of the care thread were dropped");
            }
        };
        let log_with_subscriber = || match &subscriber {
            Some(subscriber) => with_default(subscriber, log),
            None => log(),
        };
        // A subscriber that panics loses this line only.
        if catch_unwind(AssertUnwindSafe(log_with_subscriber)).is_err() {
            dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
