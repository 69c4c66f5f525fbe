//! The response body, followed to its end.
//!
//! A server need not read a body until `None`: it stops where the declared length is reached, where
//! `is_end_stream` says so, and never begins for HEAD. Each of these is an end, not a client that
//! left; so lengths are counted, and `is_end_stream` is asked after each frame.

use crate::track::Tracking;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What polling a response future gives.
type Polled<B, E> = Poll<Result<Response<B>, E>>;

/// Which body type the layer puts out for a service whose own is `B`. Sealed: [`Generic`] and
/// [`Axum`] are all there are.
pub trait BodyKind<B: Body>: sealed::Sealed {
    /// The type that comes out.
    type Body;
    #[doc(hidden)]
    fn whole<E>(polled: Polled<B, E>) -> Polled<Self::Body, E>;
    #[doc(hidden)]
    fn tracked<E>(polled: Polled<B, E>, tracking: Tracking) -> Polled<Self::Body, E>;
    #[doc(hidden)]
    fn empty() -> Self::Body;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Generic {}
    #[cfg(feature = "axum")]
    impl Sealed for super::Axum {}
}

/// Any body goes in, a [`ResponseBody`] around it comes out. Nothing is boxed.
#[derive(Debug, Clone, Copy)]
pub enum Generic {}

impl<B: Body> BodyKind<B> for Generic {
    type Body = ResponseBody<B>;

    #[inline]
    fn whole<E>(polled: Polled<B, E>) -> Polled<Self::Body, E> {
        let kind = |body| Kind::Whole { body };
        polled.map_ok(|response| response.map(|body| ResponseBody { kind: kind(body) }))
    }

    #[inline]
    fn tracked<E>(polled: Polled<B, E>, tracking: Tracking) -> Polled<Self::Body, E> {
        polled.map_ok(|response| response.map(|body| ResponseBody::tracked(body, tracking)))
    }

    fn empty() -> Self::Body {
        ResponseBody { kind: Kind::Empty }
    }
}

/// axum's body goes in and comes out: as it is where it need not be followed, else boxed once.
#[cfg(feature = "axum")]
#[derive(Debug, Clone, Copy)]
pub enum Axum {}

#[cfg(feature = "axum")]
impl BodyKind<axum::body::Body> for Axum {
    type Body = axum::body::Body;

    #[inline]
    fn whole<E>(polled: Polled<axum::body::Body, E>) -> Polled<Self::Body, E> {
        polled // not even taken apart
    }

    #[inline]
    fn tracked<E>(
        mut polled: Polled<axum::body::Body, E>,
        tracking: Tracking,
    ) -> Polled<Self::Body, E> {
        if let Poll::Ready(Ok(response)) = &mut polled {
            let body = std::mem::take(response.body_mut());
            *response.body_mut() = axum::body::Body::new(ResponseBody::tracked(body, tracking));
        }
        polled
    }

    fn empty() -> Self::Body {
        axum::body::Body::empty()
    }
}

pin_project! {
    /// A response body that tells the meter how it ended.
    pub struct ResponseBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind<B> {
        // Its request has ended already.
        Whole { #[pin] body: B },
        Tracked { #[pin] body: B, tracking: Tracking },
        // What a panic is answered with.
        Empty,
    }
}

impl<B> ResponseBody<B> {
    fn tracked(body: B, tracking: Tracking) -> Self {
        Self {
            kind: Kind::Tracked { body, tracking },
        }
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
        match self.project().kind.project() {
            KindProj::Whole { body } => body.poll_frame(cx),
            KindProj::Tracked { body, tracking } => tracking.poll_frame(body, cx),
            KindProj::Empty => Poll::Ready(None),
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole { body } | Kind::Tracked { body, .. } => body.is_end_stream(),
            Kind::Empty => true,
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole { body } | Kind::Tracked { body, .. } => body.size_hint(),
            Kind::Empty => SizeHint::with_exact(0),
        }
    }
}

impl<B> std::fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}
