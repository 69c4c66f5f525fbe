//! What the cases share: counts that can be compared, bodies that misbehave.

use axum::body::Body;
use bytes::Bytes;
use healing_tower::Meter;
use http_body::{Frame, SizeHint};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Requests by class: each request is in one of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Classes {
    pub(crate) ok: u64,
    /// Neither a panic nor a failed body.
    pub(crate) error: u64,
    pub(crate) panic: u64,
    pub(crate) cancelled: u64,
    pub(crate) body_error: u64,
    pub(crate) in_flight: u64,
}

pub(crate) const NONE: Classes = Classes {
    ok: 0,
    error: 0,
    panic: 0,
    cancelled: 0,
    body_error: 0,
    in_flight: 0,
};
pub(crate) const OK: Classes = Classes { ok: 1, ..NONE };
pub(crate) const ERROR: Classes = Classes { error: 1, ..NONE };
pub(crate) const PANIC: Classes = Classes { panic: 1, ..NONE };
pub(crate) const CANCELLED: Classes = Classes {
    cancelled: 1,
    ..NONE
};
pub(crate) const BODY_ERROR: Classes = Classes {
    body_error: 1,
    ..NONE
};
pub(crate) const OPEN: Classes = Classes {
    in_flight: 1,
    ..NONE
};

pub(crate) fn classes(meter: Meter) -> Classes {
    let totals = meter.totals();
    let (panic, body_error) = (
        totals.panics_total.unwrap(),
        totals.body_errors_total.unwrap(),
    );
    let (errors, cancelled) = (
        totals.errors_total.unwrap(),
        totals.cancelled_total.unwrap(),
    );
    Classes {
        ok: totals.requests_total.unwrap() - errors - cancelled,
        error: errors - panic - body_error,
        panic,
        cancelled,
        body_error,
        in_flight: meter.in_flight(),
    }
}

/// Waits for what another task is about to do; panics with the last value if it does not.
pub(crate) async fn eventually<T: PartialEq + std::fmt::Debug>(expected: T, now: impl Fn() -> T) {
    for _ in 0..2000 {
        if now() == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(now(), expected);
}

/// What a [`Script`] does at one poll.
pub(crate) enum Step {
    Data(&'static str),
    Trailers(&'static [(&'static str, &'static str)]),
    Fail,
    Panic,
    Hang,
}

/// A body that follows a script, and says of itself only what it is told to.
pub(crate) struct Script {
    steps: VecDeque<Step>,
    hint: SizeHint,
    says_end: bool,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = steps.into_iter().collect();
        Self {
            steps,
            hint: SizeHint::default(),
            says_end: false,
        }
    }

    /// Its exact size is known.
    pub(crate) fn exact(mut self, size: u64) -> Self {
        self.hint = SizeHint::with_exact(size);
        self
    }

    /// It says `is_end_stream` after its last frame.
    pub(crate) fn says_end(mut self) -> Self {
        self.says_end = true;
        self
    }

    pub(crate) fn boxed(self) -> Body {
        Body::new(self)
    }
}

impl http_body::Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(match self.steps.pop_front() {
            None => None,
            Some(Step::Data(text)) => Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))),
            Some(Step::Trailers(pairs)) => {
                let pairs = pairs.iter().map(|(name, value)| {
                    (name.parse().unwrap(), http::HeaderValue::from_static(value))
                });
                Some(Ok(Frame::trailers(pairs.collect())))
            }
            Some(Step::Fail) => Some(Err(io::Error::other("failed midway"))),
            Some(Step::Panic) => panic!("the body panics"),
            Some(Step::Hang) => {
                self.steps.push_front(Step::Hang);
                return Poll::Pending; // whoever waits for it gives up, or is cut off
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.says_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}
