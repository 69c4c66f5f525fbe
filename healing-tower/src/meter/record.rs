//! One open request, and the one way in which it ends.

use super::Inner;
use super::clock;
use super::routes::{MethodSlot, Route};
use super::series::Endpoint;
use crate::grpc;
use http::{HeaderMap, Request, Version};
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

/// A request that has started and not ended. Dropped, it counts as cancelled; or as a panic, where
/// that happens while the app's own code runs: then it is unwinding.
pub(crate) struct Open {
    meter: &'static Inner,
    endpoint: &'static Endpoint,
    /// On the meter's [`clock`].
    started: u64,
    /// In which it is counted as open.
    slot: u32,
    /// Of the response; [`NO_RESPONSE`] until there is one.
    status: u16,
    pub(crate) method: MethodSlot,
    /// Came over HTTP/2, so that it may be gRPC.
    pub(crate) http2: bool,
    /// Inside the app's own code.
    inside: bool,
}

impl Open {
    #[inline]
    pub(crate) fn new<B>(
        meter: &'static Inner,
        route: &'static Route,
        request: &Request<B>,
    ) -> Self {
        let method = MethodSlot::of(request.method());
        let slot = meter.slot.load(Relaxed);
        meter.shard().1.open.opened(slot);
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

    /// The response's head has come.
    #[inline]
    pub(crate) fn set_status(&mut self, status: u16) {
        self.status = status;
    }

    /// The app's code that it was made for has returned.
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.inside = false;
    }

    /// Runs the app's code; if that panics, this request did.
    #[inline]
    pub(crate) fn inside<T>(&mut self, code: impl FnOnce() -> T) -> T {
        self.inside = true;
        let value = code();
        self.inside = false;
        value
    }

    /// Whether these headers or trailers say that the call failed.
    pub(crate) fn grpc_failed(&mut self, headers: &HeaderMap) -> bool {
        let rule = &self.meter.options.grpc_errors;
        match (grpc::status(headers), rule) {
            (None, _) => false,
            (Some(None), _) => true,
            (Some(Some(code)), None) => grpc::is_the_servers_fault(code),
            (Some(Some(code)), Some(rule)) => self.inside(|| rule(code)),
        }
    }

    /// Ends it.
    #[inline]
    pub(crate) fn end(self, ending: Ending) {
        self.record(ending);
        mem::forget(self); // its Drop would end it a second time; it owns nothing
    }

    /// Ends what is here, where it lies.
    #[inline]
    pub(crate) fn end_in(place: &mut Option<Self>, ending: Ending) {
        if let Some(open) = place {
            open.record(ending);
        }
        mem::forget(place.take());
    }

    /// Takes what is here out of the count, as if it had never come.
    pub(crate) fn forget_in(place: &mut Option<Self>) {
        if let Some(open) = place {
            open.meter.shard().1.open.closed(open.slot);
        }
        mem::forget(place.take());
    }

    #[inline]
    fn record(&self, ending: Ending) {
        let nanos = clock::nanos().saturating_sub(self.started);
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
