//! Counts of requests, as the simulated app and its clients see them.

/// Totals since the start of the instance.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestTotals {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) panics: u64,
}

/// Outcomes for clients, as numbers of requests.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ClientOutcomes {
    pub(crate) requests: f64,
    pub(crate) failed: f64,
    /// Requests that took several times as long as usual.
    pub(crate) slow: f64,
}

/// Rounds to a count. Negative values become 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
pub(crate) fn round(count: f64) -> u64 {
    count.max(0.0).round() as u64
}

/// Converts a count to a float.
#[allow(clippy::cast_precision_loss)] // small counts
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}
