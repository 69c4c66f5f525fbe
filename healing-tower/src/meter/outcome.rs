//! Outcome of a request.

/// Outcome class of a request. Each request has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Outcome {
    /// Response that is not an error.
    Ok,
    /// Response that is an error, or an error of the service itself.
    Error,
    /// Panic of the handler or the body.
    Panic,
    /// Drop before the response was complete, because the client disconnected.
    Cancelled,
    /// Failure of the body midway.
    BodyError,
}

impl Outcome {
    /// Number of outcome classes.
    pub(super) const COUNT: usize = 5;
}
