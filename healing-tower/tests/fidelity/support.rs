//! Test support: comparable counts by outcome class, and scripted bodies.

use axum::body::Body;
use bytes::Bytes;
use healing_tower::Meter;
use http_body::{Frame, SizeHint};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Number of requests in each outcome class and in flight; a request is counted in exactly one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Classes {
    pub(crate) ok: u64,
    /// Errors other than panics and failed bodies.
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
pub(crate) const IN_FLIGHT: Classes = Classes {
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

/// Waits until `now` returns the expected value; panics with the last value after 10 s.
pub(crate) async fn eventually<T: PartialEq + std::fmt::Debug>(expected: T, now: impl Fn() -> T) {
    for _ in 0..2000 {
        if now() == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(now(), expected);
}

/// Waits until `now` returns the expected value, and checks for 50 ms that the value stays the same.
pub(crate) async fn settles<T: PartialEq + std::fmt::Debug + Copy>(
    expected: T,
    now: impl Fn() -> T,
) {
    eventually(expected, &now).await;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(now(), expected, "changed later");
    }
}

/// Effect of one poll of a [`ScriptedBody`].
pub(crate) enum Step {
    Data(&'static str),
    Trailers(&'static [(&'static str, &'static str)]),
    Fail,
    Panic,
    /// Pending, in this and every later poll.
    Pend,
}

/// Body that follows a script, with the size hint and end flag that the script sets.
pub(crate) struct ScriptedBody {
    steps: VecDeque<Step>,
    hint: SizeHint,
    reports_end: bool,
}

impl ScriptedBody {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = steps.into_iter().collect();
        Self {
            steps,
            hint: SizeHint::default(),
            reports_end: false,
        }
    }

    /// Sets an exact size hint.
    pub(crate) fn exact(mut self, size: u64) -> Self {
        self.hint = SizeHint::with_exact(size);
        self
    }

    /// Makes `is_end_stream` true after the last frame.
    pub(crate) fn reports_end(mut self) -> Self {
        self.reports_end = true;
        self
    }

    pub(crate) fn boxed(self) -> Body {
        Body::new(self)
    }
}

impl http_body::Body for ScriptedBody {
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
            Some(Step::Pend) => {
                self.steps.push_front(Step::Pend);
                return Poll::Pending; // until the reader drops the body
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.reports_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}
