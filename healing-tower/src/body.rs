//! Response body that is tracked until it is complete.
//!
//! A server need not read a body until `None`. It may stop at the declared length or when `is_end_stream`
//! returns `true`, and it does not read the body of a HEAD response at all. None of these is a client
//! disconnect, so bytes are counted, and `is_end_stream` is called after each frame.

use crate::track::Tracking;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Result of polling a response future.
type PollResponse<B, E> = Poll<Result<Response<B>, E>>;

/// Selection of the layer's body type for a service whose body type is `B`. The trait is sealed; the kinds
/// are [`Generic`] and [`Axum`].
pub trait BodyKind<B: Body>: sealed::Sealed {
    /// The layer's body type.
    type Body;
    #[doc(hidden)]
    fn whole<E>(polled: PollResponse<B, E>) -> PollResponse<Self::Body, E>;
    #[doc(hidden)]
    fn tracked<E>(polled: PollResponse<B, E>, tracking: Tracking) -> PollResponse<Self::Body, E>;
    #[doc(hidden)]
    fn empty() -> Self::Body;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Generic {}
    #[cfg(feature = "axum")]
    impl Sealed for super::Axum {}
}

/// Body kind that wraps any body in a [`ResponseBody`], without boxing.
#[derive(Debug, Clone, Copy)]
pub enum Generic {}

impl<B: Body> BodyKind<B> for Generic {
    type Body = ResponseBody<B>;

    #[inline]
    fn whole<E>(polled: PollResponse<B, E>) -> PollResponse<Self::Body, E> {
        let whole = |body| ResponseBody::new(Some(body), Tracking::none());
        polled.map_ok(|response| response.map(whole))
    }

    #[inline]
    fn tracked<E>(polled: PollResponse<B, E>, tracking: Tracking) -> PollResponse<Self::Body, E> {
        polled.map_ok(|response| response.map(|body| ResponseBody::new(Some(body), tracking)))
    }

    fn empty() -> Self::Body {
        ResponseBody::new(None, Tracking::none())
    }
}

/// Body kind that keeps axum's type. An untracked body is passed on as it is, a tracked one is boxed once.
#[cfg(feature = "axum")]
#[derive(Debug, Clone, Copy)]
pub enum Axum {}

#[cfg(feature = "axum")]
impl BodyKind<axum::body::Body> for Axum {
    type Body = axum::body::Body;

    #[inline]
    fn whole<E>(polled: PollResponse<axum::body::Body, E>) -> PollResponse<Self::Body, E> {
        polled // passed on as it is
    }

    #[inline]
    fn tracked<E>(
        mut polled: PollResponse<axum::body::Body, E>,
        tracking: Tracking,
    ) -> PollResponse<Self::Body, E> {
        if let Poll::Ready(Ok(response)) = &mut polled {
            let body = std::mem::take(response.body_mut());
            *response.body_mut() = axum::body::Body::new(ResponseBody::new(Some(body), tracking));
        }
        polled
    }

    fn empty() -> Self::Body {
        axum::body::Body::empty()
    }
}

pin_project! {
    /// Response body that reports its outcome to the meter.
    pub struct ResponseBody<B> {
        // Absent in the response to a panic.
        #[pin]
        body: Option<B>,
        tracking: Tracking,
    }
}

impl<B> ResponseBody<B> {
    fn new(body: Option<B>, tracking: Tracking) -> Self {
        Self { body, tracking }
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        match this.body.as_pin_mut() {
            Some(body) => this.tracking.poll_frame(body, cx),
            None => Poll::Ready(None),
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

impl<B> std::fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}
