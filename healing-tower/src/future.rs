//! The response future: sees the response, the error, the panic, or (dropped) the client's leaving.
//!
//! # Hazards
//!
//! With `panic = "abort"` nothing can be caught: a panic ends the process, as it does without this
//! layer. A panic that is caught leaves the handler's shared state as it was at that moment; locks of
//! `std` are poisoned.

use crate::body::BodyKind;
use crate::grpc;
use crate::meter::{Ending, Open, ResponseHead, TrackBody};
use crate::track::Tracking;
use http::{Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A mark that a handler may put into the extensions of its response: the request is left out of
/// every count. Healing's own endpoints carry it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uncounted;

pin_project! {
    /// Response future of [`HealingService`](crate::HealingService).
    pub struct ResponseFuture<F, K> {
        #[pin]
        inner: Inner<F>,
        // Nothing once the request has ended, or where it is left out.
        open: Option<Open>,
        head: bool,
        connect: bool,
        kind: PhantomData<fn() -> K>,
    }
}

pin_project! {
    #[project = InnerProj]
    enum Inner<F> {
        Future { #[pin] future: F },
        // `call` itself panicked.
        Panicked { payload: Option<Payload> },
    }
}

type Payload = Box<dyn Any + Send>;

impl<F, K> ResponseFuture<F, K> {
    #[inline]
    pub(crate) fn new(future: F, open: Open, head: bool, connect: bool) -> Self {
        let kind = PhantomData;
        Self {
            inner: Inner::Future { future },
            open: Some(open),
            head,
            connect,
            kind,
        }
    }

    pub(crate) fn uncounted(future: F) -> Self {
        let inner = Inner::Future { future };
        Self {
            inner,
            open: None,
            head: false,
            connect: false,
            kind: PhantomData,
        }
    }

    #[cold]
    pub(crate) fn panicked(payload: Payload, open: Open) -> Self {
        let inner = Inner::Panicked {
            payload: Some(payload),
        };
        Self {
            inner,
            open: Some(open),
            head: false,
            connect: false,
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

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = match this.inner.project() {
            // Left out: a panic is not ours to judge.
            InnerProj::Future { future } if this.open.is_none() => {
                return future.poll(cx).map_ok(|response| response.map(K::whole));
            }
            InnerProj::Future { future } => catch_unwind(AssertUnwindSafe(|| future.poll(cx))),
            InnerProj::Panicked { payload } => match payload.take() {
                Some(payload) => Err(payload),
                None => return Poll::Pending, // polled after its end
            },
        };
        let result = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => Ok(result),
            Err(payload) => Err(payload),
        };
        let Some(open) = this.open.take() else {
            return Poll::Pending;
        };
        Poll::Ready(match result {
            Ok(Ok(response)) => {
                let bodiless = bodiless(response.status(), *this.head, *this.connect);
                Ok(answered::<K, B>(open, response, bodiless))
            }
            Ok(Err(error)) => {
                open.end(Ending::Error);
                Err(error)
            }
            Err(payload) => Ok(after_panic::<K, B>(open, payload)),
        })
    }
}

/// Whether the response has no body whatever its handler made: a server will not send it, nor read
/// it to its end.
#[inline]
fn bodiless(status: StatusCode, head: bool, connect: bool) -> bool {
    head || status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
        || (connect && status.is_success())
}

/// There is a response: either that is the end, or the body will be.
#[inline]
fn answered<K: BodyKind<B>, B: Body>(
    mut open: Open,
    response: Response<B>,
    bodiless: bool,
) -> Response<K::Body> {
    let options = open.meter().options();
    if response.extensions().get::<Uncounted>().is_some() {
        open.forget();
        return response.map(K::whole);
    }
    let status = response.status();
    open.set_status(status.as_u16());
    let error = match &options.errors {
        None => status.is_server_error(),
        Some(rule) => rule(&ResponseHead {
            status,
            headers: response.headers(),
            extensions: response.extensions(),
        }),
    };
    let grpc = grpc::is_grpc(response.headers());
    let error = error || (grpc && grpc::failed(response.headers()) == Some(true));

    let exact = response.body().size_hint().exact();
    let ended = bodiless
        || match options.track_body {
            TrackBody::Never => true,
            TrackBody::Unsized => exact.is_some(),
            TrackBody::Always => exact == Some(0),
        }
        || response.body().is_end_stream();
    if ended {
        open.end(if error { Ending::Error } else { Ending::Ok });
        return response.map(K::whole);
    }
    let declared = response.headers().get(http::header::CONTENT_LENGTH);
    let length = declared
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .or(exact);
    let tracking = Tracking::new(open, error, grpc, length);
    response.map(|body| K::tracked(body, tracking))
}

#[cold]
fn after_panic<K: BodyKind<B>, B: Body>(mut open: Open, payload: Payload) -> Response<K::Body> {
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
