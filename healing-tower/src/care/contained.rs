//! Work that goes on although a turn of it panicked.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::log;

/// What is done again and again, and whether the last turn failed.
pub(super) struct Contained {
    what: &'static str,
    failing: bool,
}

impl Contained {
    pub(super) fn new(what: &'static str) -> Self {
        let failing = false;
        Self { what, failing }
    }

    /// Nothing where it panicked; said once, until a turn succeeds again.
    pub(super) fn turn<T>(&mut self, work: impl FnOnce() -> T) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(work)).ok();
        let (what, failing) = (self.what, done.is_none());
        if failing && !self.failing {
            log::say(move || tracing::error!(what, "panicked on the care thread; it goes on"));
        }
        self.failing = failing;
        done
    }
}
