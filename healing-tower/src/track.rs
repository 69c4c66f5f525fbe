//! Following one response body: which frame, error or drop is its end.

use crate::meter::{Ending, Open};
use bytes::Buf;
use http_body::{Body, Frame};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// What polling a body gives.
type Polled<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// The request of a body that is still being read. Dropped before the end, it was left by the client.
pub struct Tracking {
    /// Nothing once the request has ended.
    open: Option<Open>,
    /// Whether the response's head was an error.
    error: bool,
    /// Whether trailers tell the status.
    grpc: bool,
    /// Bytes left of the declared length, where there is one.
    left: Option<u64>,
}

impl Tracking {
    pub(crate) fn new(open: Open, error: bool, grpc: bool, length: Option<u64>) -> Self {
        Self {
            open: Some(open),
            error,
            grpc,
            left: length,
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
        let frame = ready!(open.inside(|| body.as_mut().poll_frame(cx)));
        match &frame {
            None => self.complete(),
            Some(Err(_)) => self.end(Ending::BodyError),
            Some(Ok(frame)) => {
                if let (Some(left), Some(data)) = (&mut self.left, frame.data_ref()) {
                    *left = left.saturating_sub(data.remaining() as u64);
                }
                if let Some(trailers) = frame.trailers_ref() {
                    self.error |= self.grpc && open.grpc_failed(trailers);
                    self.complete();
                } else if self.left == Some(0) || body.is_end_stream() {
                    self.complete();
                }
            }
        }
        Poll::Ready(frame)
    }

    /// There is no more of it: all that was declared, or it failed its client.
    fn complete(&mut self) {
        self.end(match (self.left, self.error) {
            (Some(1..), _) => Ending::BodyError,
            (_, true) => Ending::Error,
            (_, false) => Ending::Ok,
        });
    }

    fn end(&mut self, ending: Ending) {
        if let Some(open) = self.open.take() {
            open.end(ending);
        }
    }
}
