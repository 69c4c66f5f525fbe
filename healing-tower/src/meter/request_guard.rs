//! The guard of one in-flight request, and the class in which the request ends.

use super::Inner;
use super::clock;
use super::routes::{MethodSlot, Route};
use super::series::Endpoint;
use crate::grpc;
use http::{HeaderMap, Request, Version};
use std::mem;
use std::sync::atomic::Ordering::Relaxed;

/// Class in which a request ends. Each request ends in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// A response that is not an error.
    Ok,
    /// A response that is an error, or an error of the service itself.
    Error,
    /// A panic of the handler or the body.
    Panic,
    /// A drop before the response was complete.
    Cancelled,
    /// A failure of the body midway.
    BodyError,
}

/// Status under which requests without a response are counted; its label is empty.
pub(crate) const NO_RESPONSE: u16 = 0;

/// Guard of a request that has started and not ended. Dropped, it counts as cancelled; while the app's
/// own code runs it counts as a panic, because only unwinding can drop it there.
pub(crate) struct RequestGuard {
    meter: &'static Inner,
    endpoint: &'static Endpoint,
    /// Start of the request, on the meter's [`clock`].
    started: u64,
    /// Slot in which the request is counted as in flight.
    slot: u32,
    /// Status of the response; [`NO_RESPONSE`] until there is one.
    status: u16,
    pub(crate) method: MethodSlot,
    /// Set for HTTP/2, over which gRPC is possible.
    pub(crate) http2: bool,
    /// Set while the app's own code runs.
    inside: bool,
}

impl RequestGuard {
    #[inline]
    pub(crate) fn new<B>(
        meter: &'static Inner,
        route: &'static Route,
        request: &Request<B>,
    ) -> Self {
        let method = MethodSlot::of(request.method());
        let slot = meter.slot.load(Relaxed);
        meter.shard().1.in_flight.increment(slot);
        let endpoint = route.endpoint(method, meter.shards.len());
        Self {
            meter,
            endpoint,
            started: clock::nanos(),
            slot,
            status: NO_RESPONSE,
            method,
            http2: request.version() == Version::HTTP_2,
            inside: true,
        }
    }

    #[inline]
    pub(crate) fn meter(&self) -> &'static Inner {
        self.meter
    }

    /// Sets the status of the response head.
    #[inline]
    pub(crate) fn set_status(&mut self, status: u16) {
        self.status = status;
    }

    /// Marks the return of the app's code that was running when the guard was created.
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.inside = false;
    }

    /// Runs the app's code; a panic in it counts as a panic of this request.
    #[inline]
    pub(crate) fn inside<T>(&mut self, code: impl FnOnce() -> T) -> T {
        self.inside = true;
        let value = code();
        self.inside = false;
        value
    }

    /// Reports if these headers or trailers carry a gRPC status that is an error.
    pub(crate) fn grpc_failed(&mut self, headers: &HeaderMap) -> bool {
        let rule = &self.meter.options.grpc_errors;
        match (grpc::status(headers), rule) {
            (None, _) => false,
            (Some(None), _) => true,
            (Some(Some(code)), None) => grpc::is_server_error(code),
            (Some(Some(code)), Some(rule)) => self.inside(|| rule(code)),
        }
    }

    /// Ends the request.
    #[inline]
    pub(crate) fn end(self, ending: Ending) {
        self.record(ending);
        mem::forget(self); // Drop would end it a second time; the guard owns nothing
    }

    /// Ends the request in `place` without moving the guard.
    #[inline]
    pub(crate) fn end_in(place: &mut Option<Self>, ending: Ending) {
        if let Some(guard) = place {
            guard.record(ending);
        }
        mem::forget(place.take());
    }

    /// Removes the request in `place` from the number in flight without counting it.
    pub(crate) fn forget_in(place: &mut Option<Self>) {
        if let Some(guard) = place {
            guard.meter.shard().1.in_flight.decrement(guard.slot);
        }
        mem::forget(place.take());
    }

    #[inline]
    fn record(&self, ending: Ending) {
        let nanos = clock::nanos().saturating_sub(self.started);
        let meter = self.meter;
        let (index, shard) = meter.shard();
        shard.in_flight.decrement(self.slot);
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

impl Drop for RequestGuard {
    #[cold]
    fn drop(&mut self) {
        self.record(if self.inside {
            Ending::Panic
        } else {
            Ending::Cancelled
        });
    }
}
