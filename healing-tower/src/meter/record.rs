//! One open request, and the one way in which it ends.

use super::Inner;
use super::series::Endpoint;
use std::mem;
use std::sync::atomic::Ordering::Relaxed;

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

/// A request that has started and not ended. Dropped, it counts as cancelled.
pub(crate) struct Open {
    meter: &'static Inner,
    endpoint: &'static Endpoint,
    /// Nanoseconds since the meter's own start.
    started: u64,
    /// Of the response; [`NO_RESPONSE`] until there is one.
    status: u16,
}

impl Open {
    #[inline]
    pub(crate) fn new(meter: &'static Inner, endpoint: &'static Endpoint) -> Self {
        let started = meter.nanos();
        meter.shard().1.open.opened(started);
        Self {
            meter,
            endpoint,
            started,
            status: NO_RESPONSE,
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

    /// Ends it.
    #[inline]
    pub(crate) fn end(self, ending: Ending) {
        self.record(ending);
        mem::forget(self); // its Drop would end it a second time; it owns nothing
    }

    /// Takes it out of the count, as if it had never come.
    pub(crate) fn forget(self) {
        self.meter.shard().1.open.closed(self.started);
        mem::forget(self);
    }

    #[inline]
    fn record(&self, ending: Ending) {
        let meter = self.meter;
        let nanos = meter.nanos().saturating_sub(self.started);
        let (index, shard) = meter.shard();
        shard.open.closed(self.started);
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
    fn drop(&mut self) {
        self.record(Ending::Cancelled);
    }
}
