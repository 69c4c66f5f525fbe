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

/// Which body type the layer puts out for a service whose own is `B`. Sealed: [`Generic`] and
/// [`Axum`] are all there are.
pub trait BodyKind<B: Body>: sealed::Sealed {
    /// The type that comes out.
    type Body;
    #[doc(hidden)]
    fn whole(response: Response<B>) -> Response<Self::Body>;
    #[doc(hidden)]
    fn tracked(body: B, tracking: Tracking) -> Self::Body;
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
    fn whole(response: Response<B>) -> Response<Self::Body> {
        response.map(|body| ResponseBody {
            kind: Kind::Whole { body },
        })
    }

    #[inline]
    fn tracked(body: B, tracking: Tracking) -> Self::Body {
        ResponseBody {
            kind: Kind::Tracked { body, tracking },
        }
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
    fn whole(response: Response<axum::body::Body>) -> Response<Self::Body> {
        response
    }

    #[inline]
    fn tracked(body: axum::body::Body, tracking: Tracking) -> Self::Body {
        axum::body::Body::new(<Generic as BodyKind<_>>::tracked(body, tracking))
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
