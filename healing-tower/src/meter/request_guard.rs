//! Guard of one in-flight request.

use super::Inner;
use super::clock;
use super::in_flight::Slot;
use super::outcome::Outcome;
use super::routes::{MethodSlot, Route};
use super::series::{Endpoint, Key};
use crate::grpc;
use http::{HeaderMap, Request, Version};
use std::mem;
use std::sync::atomic::Ordering::Relaxed;

/// Status of requests without a response, reported with an empty status label.
pub(crate) const NO_RESPONSE: u16 = 0;

/// Guard of a request in flight. A request whose guard is dropped counts as cancelled, or as a panic if the
/// app's own code is running, because only unwinding can drop the guard there.
pub(crate) struct RequestGuard {
    meter: &'static Inner,
    endpoint: &'static Endpoint,
    /// Start of the request, on the meter's [`clock`].
    started: u64,
    /// Slot in which the request is counted as in flight.
    slot: Slot,
    /// Status of the response head; [`NO_RESPONSE`] until there is one.
    status: u16,
    pub(crate) method: MethodSlot,
    /// Set for HTTP/2, over which gRPC is possible.
    pub(crate) http2: bool,
    /// Set while the app's own code runs.
    in_app_code: bool,
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
        let endpoint = meter.routes.endpoint(route, method, meter.counts.shards());
        let (index, shard) = meter.counts.of_thread();
        shard.in_flight.increment(slot);
        endpoint.begin(index);
        Self {
            meter,
            endpoint,
            started: clock::nanos(),
            slot,
            status: NO_RESPONSE,
            method,
            http2: request.version() == Version::HTTP_2,
            in_app_code: true,
        }
    }

    #[inline]
    pub(crate) fn meter(&self) -> &'static Inner {
        self.meter
    }

    /// Sets the status of the response head. No app code may run from then on, except that of a tracked
    /// body.
    #[inline]
    pub(crate) fn set_status(&mut self, status: u16) {
        self.status = status;
    }

    /// Records the return of the app's code that was running when the guard was created.
    #[inline]
    pub(crate) fn leave_app_code(&mut self) {
        self.in_app_code = false;
    }

    /// Runs the app's code; a panic in it counts as a panic of this request.
    #[inline]
    pub(crate) fn run_app_code<T>(&mut self, code: impl FnOnce() -> T) -> T {
        self.in_app_code = true;
        let value = code();
        self.in_app_code = false;
        value
    }

    /// Returns `true` if these headers or trailers contain a gRPC status that is an error.
    pub(crate) fn grpc_failed(&mut self, headers: &HeaderMap) -> bool {
        let rule = &self.meter.options.grpc_errors;
        match (grpc::status(headers), rule) {
            (None, _) => false,
            (Some(None), _) => true,
            (Some(Some(code)), None) => grpc::is_server_error(code),
            (Some(Some(code)), Some(rule)) => self.run_app_code(|| rule(code)),
        }
    }

    /// Counts the response head of a request whose body is tracked.
    #[inline]
    pub(crate) fn begin_body(&mut self, error: bool) {
        let (index, shard) = self.meter.counts.of_thread();
        shard.tracked_heads[usize::from(error)].fetch_add(1, Relaxed);
        self.endpoint.begin_body(index);
    }

    /// Counts a request without a tracked body as finished.
    #[inline]
    pub(crate) fn finish(self, outcome: Outcome) {
        self.record(outcome, false);
        mem::forget(self); // Drop would count the request twice; the guard owns nothing
    }

    /// Counts the request in `place` as finished, without moving the guard.
    #[inline]
    pub(crate) fn finish_in(place: &mut Option<Self>, outcome: Outcome) {
        if let Some(guard) = place {
            guard.record(outcome, false);
        }
        mem::forget(place.take());
    }

    /// Counts the request in `place`, whose body was tracked, as finished, without moving the guard.
    #[inline]
    pub(crate) fn finish_body_in(place: &mut Option<Self>, outcome: Outcome) {
        if let Some(guard) = place {
            guard.record(outcome, true);
        }
        mem::forget(place.take());
    }

    /// Excludes the request in `place` from all counts, the number in flight included.
    pub(crate) fn exclude_in(place: &mut Option<Self>) {
        if let Some(guard) = place {
            let (index, shard) = guard.meter.counts.of_thread();
            shard.in_flight.decrement(guard.slot);
            guard.endpoint.exclude(index);
        }
        mem::forget(place.take());
    }

    /// Counts the request and removes it from those in flight. Inlined by hand where requests usually
    /// finish: the call alone costs some twenty instructions for saved registers.
    #[inline(always)]
    fn record(&self, outcome: Outcome, tracked: bool) {
        let nanos = clock::nanos().saturating_sub(self.started);
        let meter = self.meter;
        let (index, shard) = meter.counts.of_thread();
        shard.in_flight.decrement(self.slot);
        shard.finished(outcome, tracked)[super::durations::bucket(nanos)].fetch_add(1, Relaxed);
        let key = Key::new(self.status, outcome, tracked);
        self.endpoint.record(index, key, nanos, &meter.bounds);
        if outcome != Outcome::Ok {
            shard.failures[usize::from(tracked)][outcome as usize].fetch_add(1, Relaxed);
        }
    }
}

impl Drop for RequestGuard {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        let outcome = if self.in_app_code {
            Outcome::Panic
        } else {
            Outcome::Cancelled
        };
        // A request with a head is dropped only if its body is tracked; else it finishes with the head.
        self.record(outcome, self.status != NO_RESPONSE);
    }
}
