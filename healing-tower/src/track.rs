//! Tracking of one response body until its last frame, an error or a drop.

use crate::meter::{Outcome, RequestGuard};
use bytes::Buf;
use http_body::{Body, Frame};
use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Result of polling a body.
type PollFrame<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// Guard of a request whose body is being read. The request counts as cancelled if this is dropped before
/// the body is complete.
pub struct Tracking {
    /// Absent once the request has finished, or if it finished with its head.
    guard: Option<RequestGuard>,
    state: BodyState,
}

/// State of a body that is being read.
#[derive(Default)]
pub(crate) struct BodyState {
    /// Set if the response's head, or a trailer, is an error.
    pub(crate) error: bool,
    /// Set if the status is in the trailers.
    pub(crate) grpc: bool,
    /// Remaining bytes of the declared length; absent if no length was declared or none remain.
    pub(crate) remaining: Option<NonZeroU64>,
}

impl BodyState {
    /// Counts a frame; returns `true` if it completes the declared length.
    #[inline]
    fn is_last<D: Buf>(&mut self, frame: &Frame<D>) -> bool {
        let (Some(remaining), Some(data)) = (self.remaining, frame.data_ref()) else {
            return false;
        };
        self.remaining = NonZeroU64::new(remaining.get().saturating_sub(data.remaining() as u64));
        self.remaining.is_none()
    }

    /// Returns the outcome of a body without more frames. A body shorter than the declared length is a
    /// failure.
    #[inline]
    fn outcome(&self) -> Outcome {
        match (self.remaining, self.error) {
            (Some(_), _) => Outcome::BodyError,
            (_, true) => Outcome::Error,
            (_, false) => Outcome::Ok,
        }
    }
}

impl Tracking {
    pub(crate) fn new(guard: RequestGuard, state: BodyState) -> Self {
        Self {
            guard: Some(guard),
            state,
        }
    }

    /// Returns the state of a body that is not tracked.
    pub(crate) fn none() -> Self {
        Self {
            guard: None,
            state: BodyState::default(),
        }
    }

    /// Polls the body, and counts the request as finished at its last frame.
    #[inline]
    pub(crate) fn poll_frame<B: Body>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> PollFrame<B> {
        let Some(guard) = &mut self.guard else {
            return body.poll_frame(cx);
        };
        let polled = guard.run_app_code(|| body.as_mut().poll_frame(cx));
        // Inspected in place, because a frame is too large to be moved repeatedly.
        let Poll::Ready(frame) = &polled else {
            return Poll::Pending;
        };
        let outcome = match frame {
            None => Some(self.state.outcome()),
            Some(Err(_)) => Some(Outcome::BodyError),
            Some(Ok(frame)) => {
                let complete = if let Some(trailers) = frame.trailers_ref() {
                    self.state.error |= self.state.grpc && guard.grpc_failed(trailers);
                    true
                } else {
                    self.state.is_last(frame) || body.is_end_stream()
                };
                complete.then(|| self.state.outcome())
            }
        };
        if let Some(outcome) = outcome {
            RequestGuard::finish_body_in(&mut self.guard, outcome);
        }
        polled
    }
}
