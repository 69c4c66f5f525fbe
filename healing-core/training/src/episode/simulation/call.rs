//! Calls of the clients, and the responses to them.

/// One call of a client, with its retries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Call {
    /// Number that selects its random numbers.
    pub(super) index: u64,
    /// Time at which it was sent first.
    pub(super) first_sent: f64,
    /// Client of the closed loop, or [`OPEN`].
    pub(super) client: u32,
    /// Number of retries so far.
    pub(super) attempt: u32,
}

/// Client of a call of the open load.
pub(super) const OPEN: u32 = u32::MAX;

/// Response to a client that waits for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Response {
    /// Call of the request.
    pub(super) call: Call,
    /// Time at which the request was sent.
    pub(super) sent: f64,
    /// `true` for a success.
    pub(super) ok: bool,
}
