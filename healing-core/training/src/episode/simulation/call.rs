//! Calls of the clients.

/// One call of a client, with its retries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Call {
    /// Number that selects its random numbers.
    pub(super) index: u64,
    /// Time at which it was sent first.
    pub(super) first_sent: f64,
    /// Client of the closed loop, or [`OPEN`].
    pub(super) client: u32,
    /// Retries so far.
    pub(super) attempt: u32,
}

/// Client of a call that is in no closed loop.
pub(super) const OPEN: u32 = u32::MAX;
