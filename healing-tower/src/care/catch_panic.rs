//! Periodic work that continues after a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::deferred_log;

/// Runner of one kind of periodic work.
pub(super) struct CatchPanic {
    work: &'static str,
    /// Set if the last run panicked.
    panicking: bool,
}

impl CatchPanic {
    /// Creates a runner; `work` is its name in the log.
    pub(super) fn new(work: &'static str) -> Self {
        Self {
            work,
            panicking: false,
        }
    }

    /// Runs `work` once and returns its value; `None` if it panicked. Consecutive panics are logged once.
    pub(super) fn run<T>(&mut self, work: impl FnOnce() -> T) -> Option<T> {
        let result = catch_unwind(AssertUnwindSafe(work)).ok();
        let panicked = result.is_none();
        if panicked && !self.panicking {
            let work = self.work;
            deferred_log::emit(move || {
                tracing::error!(work, "periodic work panicked on the care thread; retrying");
            });
        }
        self.panicking = panicked;
        result
    }
}
