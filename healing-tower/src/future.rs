//! The response future: sees the response, the error, the panic, or (dropped) the client's leaving.

use crate::body::BodyKind;
use crate::grpc;
use crate::meter::{Ending, MethodSlot, RequestGuard, ResponseHead, TrackBody};
use crate::track::{BodyState, Tracking};
use http::{Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use std::any::Any;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A mark that a handler may put into the extensions of its response: the request is left out of
/// every count. Healing's own endpoints carry it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SkipMetrics;

pin_project! {
    /// Response future of [`HealingService`](crate::HealingService).
    ///
    /// # Hazards
    ///
    /// With `panic = "abort"` nothing can be caught: a panic ends the process, as it does without this
    /// layer. Only the future is caught: a panic of `call` itself (in a service that works before it
    /// returns its future; axum's never do) is counted and goes on. A panic that is caught leaves the
    /// handler's shared state as it was at that moment; locks of `std` are poisoned.
    pub struct ResponseFuture<F, K> {
        #[pin]
        inner: F,
        // Nothing once the request has ended, or where it is left out.
        open: Option<RequestGuard>,
        kind: PhantomData<fn() -> K>,
    }
}

impl<F, K> ResponseFuture<F, K> {
    /// A request that counts, or (without `open`) is left out.
    #[inline]
    pub(crate) fn new(inner: F, open: Option<RequestGuard>) -> Self {
        Self {
            inner,
            open,
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

    // Never inlined: so the response is written where the caller wants it, not copied there.
    #[inline(never)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = match catch_unwind(AssertUnwindSafe(|| this.inner.poll(cx))) {
            Ok(polled) => polled,
            Err(payload) => return Poll::Ready(Ok(after_panic::<K, B>(this.open.take(), payload))),
        };
        // Looked at where it is: a response is too large to be handed from hand to hand.
        let Poll::Ready(result) = &polled else {
            return Poll::Pending;
        };
        let Some(open) = this.open else {
            return K::whole(polled);
        };
        let disposition = match result {
            Ok(response) => answered(open, response),
            Err(_) => Disposition::Ends(Ending::Error),
        };
        match disposition {
            Disposition::Ends(ending) => RequestGuard::end_in(this.open, ending),
            Disposition::IsLeftOut => RequestGuard::forget_in(this.open),
            Disposition::GoesOn(following) => {
                if let Some(open) = this.open.take() {
                    return K::tracked(polled, Tracking::new(open, following));
                }
            }
        }
        K::whole(polled)
    }
}

/// What becomes of a request that was answered.
enum Disposition {
    Ends(Ending),
    IsLeftOut,
    /// Until its body's end.
    GoesOn(BodyState),
}

/// A body of exact size up to this many bytes is taken to be in memory; a larger one may come from
/// elsewhere while it is sent, and fail on the way.
const IN_MEMORY: u64 = 64 * 1024;

/// Whether the response has no body whatever its handler made: a server will not send it, nor read
/// it to its end.
#[inline]
fn bodiless(status: StatusCode, method: MethodSlot) -> bool {
    method == MethodSlot::HEAD
        || matches!(status.as_u16(), ..200 | 204 | 304)
        || (method == MethodSlot::CONNECT && status.is_success())
}

/// There is a response: either that is the end, or the body will be, which is then to be followed.
#[inline]
fn answered<B: Body>(open: &mut RequestGuard, response: &Response<B>) -> Disposition {
    let options = open.meter().options();
    if response.extensions().get::<SkipMetrics>().is_some() {
        return Disposition::IsLeftOut;
    }
    let status = response.status();
    open.set_status(status.as_u16());
    let error = match &options.errors {
        None => status.is_server_error(),
        Some(rule) => open.inside(|| {
            rule(&ResponseHead {
                status,
                headers: response.headers(),
                extensions: response.extensions(),
            })
        }),
    };
    let grpc = open.http2 && grpc::is_grpc(response.headers());
    let error = error || (grpc && open.grpc_failed(response.headers()));

    let exact = response.body().size_hint().exact();
    let ended = match options.track_body {
        TrackBody::Never => true,
        TrackBody::Unsized => exact.is_some_and(|bytes| bytes <= IN_MEMORY),
        TrackBody::Always => exact == Some(0),
    } || bodiless(status, open.method)
        || response.body().is_end_stream();
    // A server trusts the body's own word before the header's, and so do we.
    let length = || {
        exact.or_else(|| {
            let declared = response.headers().get(http::header::CONTENT_LENGTH)?;
            declared.to_str().ok()?.parse().ok()
        })
    };
    let length = if ended { Some(0) } else { length() };
    match length.map(NonZeroU64::new) {
        Some(None) => Disposition::Ends(if error { Ending::Error } else { Ending::Ok }),
        left => Disposition::GoesOn(BodyState {
            error,
            grpc,
            left: left.flatten(),
        }),
    }
}

#[cold]
fn after_panic<K: BodyKind<B>, B: Body>(
    open: Option<RequestGuard>,
    payload: Box<dyn Any + Send>,
) -> Response<K::Body> {
    let Some(mut open) = open else {
        resume_unwind(payload); // left out: a panic is not ours to judge
    };
    let reraise = open.meter().options().reraise_panics;
    open.set_status(500);
    open.end(Ending::Panic);
    if reraise {
        resume_unwind(payload);
    }
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    tracing::error!(
        panic = text.unwrap_or("not a text"),
        "a handler panicked; the answer is 500"
    );
    let mut response = Response::new(K::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
