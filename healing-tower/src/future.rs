//! Response future: observes the response, the error, the panic or, when dropped, a client disconnect.

use crate::body::BodyKind;
use crate::grpc;
use crate::meter::{MethodSlot, Outcome, RequestGuard, ResponseHead, TrackBody};
use crate::track::{BodyState, Tracking};
use http::{HeaderMap, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use std::any::Any;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Marker in a response's extensions that excludes the request from all counts. Responses of healing's
/// own endpoints carry it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SkipMetrics;

pin_project! {
    /// Response future of [`HealingService`](crate::HealingService).
    ///
    /// # Hazards
    ///
    /// With `panic = "abort"` a panic aborts the process, as it does without this layer. Only panics of
    /// the future are caught. A panic of `call` itself (in a service that does work in `call` before
    /// returning the future; axum's do not) is counted and propagates. A caught panic leaves the
    /// handler's shared state as it was at that moment; locks of `std` are poisoned.
    pub struct ResponseFuture<F, K> {
        #[pin]
        inner: F,
        // Absent once the request has finished, or if it is excluded.
        guard: Option<RequestGuard>,
        kind: PhantomData<fn() -> K>,
    }
}

impl<F, K> ResponseFuture<F, K> {
    /// Wraps the future of a request; without `guard` the request is excluded.
    #[inline]
    pub(crate) fn new(inner: F, guard: Option<RequestGuard>) -> Self {
        Self {
            inner,
            guard,
            kind: PhantomData,
        }
    }
}

impl<F, K, B, E> Future for ResponseFuture<F, K>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    K: BodyKind<B>,
{
    type Output = Result<Response<K::Body>, E>;

    // Never inlined, so that the response is written to its destination and not copied there.
    #[inline(never)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = match catch_unwind(AssertUnwindSafe(|| this.inner.poll(cx))) {
            Ok(polled) => polled,
            Err(payload) => {
                return Poll::Ready(Ok(after_panic::<K, B>(this.guard.take(), payload)));
            }
        };
        // Inspected in place, because a response is too large to be moved repeatedly.
        let Poll::Ready(result) = &polled else {
            return Poll::Pending;
        };
        let Some(guard) = &mut *this.guard else {
            return K::whole(polled);
        };
        let disposition = match result {
            Ok(response) => inspect(guard, response),
            Err(_) => Disposition::Finish(Outcome::Error),
        };
        match disposition {
            Disposition::Finish(outcome) => RequestGuard::finish_in(this.guard, outcome),
            Disposition::Exclude => RequestGuard::exclude_in(this.guard),
            Disposition::Track(state) => {
                guard.begin_body(state.error);
                if let Some(guard) = this.guard.take() {
                    return K::tracked(polled, Tracking::new(guard, state));
                }
            }
        }
        K::whole(polled)
    }
}

/// Disposition of a request that has a response or an error.
enum Disposition {
    /// The request has finished.
    Finish(Outcome),
    /// The request is excluded from all counts.
    Exclude,
    /// The request finishes with its body, which is to be tracked.
    Track(BodyState),
}

/// Maximum size, in bytes, of a body of exact size that is assumed to be in memory. A larger one may be
/// read from elsewhere while it is sent, and fail midway.
const IN_MEMORY: u64 = 64 * 1024;

/// Returns `true` for the statuses that are errors by default: those of class 5xx, and 408, with which a server
/// reports that it took too long.
#[inline]
fn is_error(status: StatusCode) -> bool {
    let code = status.as_u16();
    code >= 400 && is_error_code(code)
}

// Out of line, because most responses need only the comparison above.
#[inline(never)]
fn is_error_code(code: u16) -> bool {
    matches!(code, 408 | 500..600)
}

/// Returns `true` if the server sends no body for this response and never polls the handler's body.
#[inline]
fn has_no_body(status: StatusCode, method: MethodSlot) -> bool {
    method == MethodSlot::HEAD
        || matches!(status.as_u16(), ..200 | 204 | 304)
        || (method == MethodSlot::CONNECT && status.is_success())
}

/// Sets the request's status from the response head and returns its disposition.
#[inline]
fn inspect<B: Body>(guard: &mut RequestGuard, response: &Response<B>) -> Disposition {
    let options = guard.meter().options();
    if response.extensions().get::<SkipMetrics>().is_some() {
        return Disposition::Exclude;
    }
    let status = response.status();
    let error = match &options.errors {
        None => is_error(status),
        Some(rule) => guard.run_app_code(|| {
            rule(&ResponseHead {
                status,
                headers: response.headers(),
                extensions: response.extensions(),
            })
        }),
    };
    let grpc = guard.http2 && grpc::is_grpc(response.headers());
    let error = error || (grpc && guard.grpc_failed(response.headers()));
    guard.set_status(status.as_u16()); // after the rules, whose panics occur before the head

    let exact = response.body().size_hint().exact();
    let finished = match options.track_body {
        TrackBody::Never => true,
        TrackBody::Unsized => exact.is_some_and(|bytes| bytes <= IN_MEMORY),
        TrackBody::Always => exact == Some(0),
    } || has_no_body(status, guard.method)
        || response.body().is_end_stream();
    let length = match exact {
        _ if finished => Some(0),
        // The body's own size takes precedence over the header, as in servers.
        Some(bytes) => Some(bytes),
        None => declared_length(response.headers()),
    };
    match length.map(NonZeroU64::new) {
        Some(None) => Disposition::Finish(if error { Outcome::Error } else { Outcome::Ok }),
        remaining => Disposition::Track(BodyState {
            error,
            grpc,
            remaining: remaining.flatten(),
        }),
    }
}

/// Returns the length that the handler declares.
fn declared_length(headers: &HeaderMap) -> Option<u64> {
    let declared = headers.get(http::header::CONTENT_LENGTH)?;
    declared.to_str().ok()?.parse().ok()
}

/// Records a panic of the future and returns a 500, or resumes the panic.
#[cold]
fn after_panic<K: BodyKind<B>, B: Body>(
    guard: Option<RequestGuard>,
    payload: Box<dyn Any + Send>,
) -> Response<K::Body> {
    let Some(mut guard) = guard else {
        resume_unwind(payload); // panics of excluded requests propagate
    };
    let reraise = guard.meter().options().reraise_panics;
    guard.set_status(500);
    guard.finish(Outcome::Panic);
    if reraise {
        resume_unwind(payload);
    }
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    tracing::error!(
        panic = text.unwrap_or("<non-string payload>"),
        "handler panicked; responding 500"
    );
    let mut response = Response::new(K::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
