//! Tracking of one response body: the frame, error or drop that is its end.

use crate::meter::{Ending, RequestGuard};
use bytes::Buf;
use http_body::{Body, Frame};
use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Result of polling a body.
type PollFrame<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// Guard of a request whose body is being read. A drop before the end counts as cancelled by the client.
pub struct Tracking {
    /// Absent once the request has ended.
    guard: Option<RequestGuard>,
    state: BodyState,
}

/// State of a body that is being read.
pub(crate) struct BodyState {
    /// Set if the response's head, or a trailer, is an error.
    pub(crate) error: bool,
    /// Set if the status is in the trailers.
    pub(crate) grpc: bool,
    /// Bytes left of the declared length; absent without one, and after the last of them.
    pub(crate) left: Option<NonZeroU64>,
}

impl BodyState {
    /// Counts a frame; returns `true` if it completes the declared length.
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
    pub(crate) fn new(guard: RequestGuard, state: BodyState) -> Self {
        Self {
            guard: Some(guard),
            state,
        }
    }

    /// Polls the body, and ends the request at its last frame.
    #[inline]
    pub(crate) fn poll_frame<B: Body>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> PollFrame<B> {
        let Some(guard) = &mut self.guard else {
            return body.poll_frame(cx);
        };
        let polled = guard.inside(|| body.as_mut().poll_frame(cx));
        // Inspected in place, like the response.
        let Poll::Ready(frame) = &polled else {
            return Poll::Pending;
        };
        match frame {
            None => self.complete(),
            Some(Err(_)) => self.end(Ending::BodyError),
            Some(Ok(frame)) => {
                let ended = if let Some(trailers) = frame.trailers_ref() {
                    self.state.error |= self.state.grpc && guard.grpc_failed(trailers);
                    true
                } else {
                    self.state.is_last(frame) || body.is_end_stream()
                };
                if ended {
                    self.complete();
                }
            }
        }
        polled
    }

    /// Ends the request when the body yields no more frames; less than the declared length is a failure.
    fn complete(&mut self) {
        self.end(match (self.state.left, self.state.error) {
            (Some(_), _) => Ending::BodyError,
            (_, true) => Ending::Error,
            (_, false) => Ending::Ok,
        });
    }

    fn end(&mut self, ending: Ending) {
        RequestGuard::end_in(&mut self.guard, ending);
    }
}
