//! One open request, and the one way in which it ends.

use super::Inner;
use super::routes::{MethodSlot, Route};
use super::series::Endpoint;
use std::mem;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// How a request ended. Each request ends in exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// A response that is no error.
    Ok,
    /// A response that is one, or the service itself failed.
    Error,
    /// The handler, or the body, panicked.
    Panic,
    /// Dropped before it was complete.
    Cancelled,
    /// The body failed midway.
    BodyError,
}

/// The status under which requests without a response are counted; its label is empty.
pub(crate) const NO_RESPONSE: u16 = 0;

/// A request that has started and not ended. Dropped, it counts as cancelled; or as a panic, where
/// that happens while the app's own code runs: then it is unwinding.
pub(crate) struct Open {
    meter: &'static Inner,
    endpoint: &'static Endpoint,
    started: Instant,
    /// In which it is counted as open.
    slot: usize,
    /// Of the response; [`NO_RESPONSE`] until there is one.
    status: u16,
    pub(crate) method: MethodSlot,
    /// Inside the app's own code.
    inside: bool,
}

impl Open {
    #[inline]
    pub(crate) fn new(meter: &'static Inner, route: &'static Route, method: MethodSlot) -> Self {
        let slot = meter.slot.load(Relaxed);
        meter.shard().1.open.opened(slot);
        let endpoint = route.endpoint(method, meter.shards.len());
        Self {
            meter,
            endpoint,
            started: Instant::now(),
            slot,
            status: NO_RESPONSE,
            method,
            inside: false,
        }
    }

    #[inline]
    pub(crate) fn meter(&self) -> &'static Inner {
        self.meter
    }

    /// The response's head has come.
    #[inline]
    pub(crate) fn set_status(&mut self, status: u16) {
        self.status = status;
    }

    /// Runs the app's code; if that panics, this request did.
    #[inline]
    pub(crate) fn inside<T>(&mut self, code: impl FnOnce() -> T) -> T {
        self.inside = true;
        let value = code();
        self.inside = false;
        value
    }

    /// Ends it.
    #[inline]
    pub(crate) fn end(self, ending: Ending) {
        self.record(ending);
        mem::forget(self); // its Drop would end it a second time; it owns nothing
    }

    /// Takes it out of the count, as if it had never come.
    pub(crate) fn forget(self) {
        self.meter.shard().1.open.closed(self.slot);
        mem::forget(self);
    }

    #[inline]
    fn record(&self, ending: Ending) {
        let spent = self.started.elapsed();
        // Not `as_nanos`: 128 bits for what takes 64 until the year 2600.
        let nanos = spent.as_secs() * 1_000_000_000 + u64::from(spent.subsec_nanos());
        let meter = self.meter;
        let (index, shard) = meter.shard();
        shard.open.closed(self.slot);
        shard.durations[super::durations::bucket(nanos)].fetch_add(1, Relaxed);
        self.endpoint
            .record(index, self.status, nanos, &meter.bounds);
        let class = match ending {
            Ending::Ok => return,
            Ending::Cancelled => &shard.cancelled,
            Ending::Error => &shard.errors,
            Ending::Panic => &shard.panics,
            Ending::BodyError => &shard.body_errors,
        };
        class.fetch_add(1, Relaxed);
    }
}

impl Drop for Open {
    #[cold]
    fn drop(&mut self) {
        self.record(if self.inside {
            Ending::Panic
        } else {
            Ending::Cancelled
        });
    }
}
