//! Periodic work that continues after a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::deferred_log;

/// Runs one kind of periodic work and remembers if its last run panicked.
pub(super) struct CatchPanic {
    work: &'static str,
    panicking: bool,
}

impl CatchPanic {
    /// `work` names the work in the log.
    pub(super) fn new(work: &'static str) -> Self {
        Self {
            work,
            panicking: false,
        }
    }

    /// Runs `work` once; absent if it panicked. A series of panics is logged once.
    pub(super) fn run<T>(&mut self, work: impl FnOnce() -> T) -> Option<T> {
        let result = catch_unwind(AssertUnwindSafe(work)).ok();
        let panicked = result.is_none();
        if panicked && !self.panicking {
            let work = self.work;
            deferred_log::emit(move || {
                tracing::error!(work, "panicked on the care thread; it will be retried");
            });
        }
        self.panicking = panicked;
        result
    }
}
