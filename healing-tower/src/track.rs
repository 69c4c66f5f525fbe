//! Following one response body: which frame, error or drop is its end.

use crate::meter::{Ending, RequestGuard};
use bytes::Buf;
use http_body::{Body, Frame};
use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What polling a body gives.
type Polled<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// The request of a body that is still being read. Dropped before the end, it was left by the client.
pub struct Tracking {
    /// Nothing once the request has ended.
    open: Option<RequestGuard>,
    following: BodyState,
}

/// What is known when the body begins, and changes on the way.
pub(crate) struct BodyState {
    /// Whether the response's head was an error.
    pub(crate) error: bool,
    /// Whether trailers tell the status.
    pub(crate) grpc: bool,
    /// Bytes left of the declared length, where there is one. None left is the end.
    pub(crate) left: Option<NonZeroU64>,
}

impl BodyState {
    /// Counts a frame; true if it was the rest of the declared length.
    #[inline]
    fn is_last<D: Buf>(&mut self, frame: &Frame<D>) -> bool {
        let (Some(left), Some(data)) = (self.left, frame.data_ref()) else {
            return false;
        };
        self.left = NonZeroU64::new(left.get().saturating_sub(data.remaining() as u64));
        self.left.is_none()
    }
}

impl Tracking {
    pub(crate) fn new(open: RequestGuard, following: BodyState) -> Self {
        Self {
            open: Some(open),
            following,
        }
    }

    /// Polls the body, and ends the request with its last frame.
    #[inline]
    pub(crate) fn poll_frame<B: Body>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Polled<B> {
        let Some(open) = &mut self.open else {
            return body.poll_frame(cx);
        };
        let polled = open.inside(|| body.as_mut().poll_frame(cx));
        // Looked at where it is, like the response.
        let Poll::Ready(frame) = &polled else {
            return Poll::Pending;
        };
        match frame {
            None => self.complete(),
            Some(Err(_)) => self.end(Ending::BodyError),
            Some(Ok(frame)) => {
                let ended = if let Some(trailers) = frame.trailers_ref() {
                    self.following.error |= self.following.grpc && open.grpc_failed(trailers);
                    true
                } else {
                    self.following.is_last(frame) || body.is_end_stream()
                };
                if ended {
                    self.complete();
                }
            }
        }
        polled
    }

    /// There is no more of it: all that was declared, or it failed its client.
    fn complete(&mut self) {
        self.end(match (self.following.left, self.following.error) {
            (Some(_), _) => Ending::BodyError,
            (_, true) => Ending::Error,
            (_, false) => Ending::Ok,
        });
    }

    fn end(&mut self, ending: Ending) {
        RequestGuard::end_in(&mut self.open, ending);
    }
}
