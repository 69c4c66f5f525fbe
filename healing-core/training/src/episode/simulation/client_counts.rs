//! Counts of the clients' requests by their ends.

/// Counts of the clients' requests to the app since the start of the episode. Each attempt of a call
/// counts; requests that other replicas took over do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientCounts {
    /// Requests sent.
    pub sent: u64,
    /// Requests that were served before their client left.
    pub served: u64,
    /// Requests that got an error response before their client left.
    pub errors: u64,
    /// Requests whose client left before the response.
    pub timed_out: u64,
    /// Requests whose connection was refused.
    pub refused: u64,
    /// Requests whose connection was reset by the exit of the process.
    pub reset: u64,
}

/// End of a request, as its client sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestEnd {
    Served,
    Error,
    TimedOut,
    Refused,
    Reset,
}

// === impl ClientCounts ===

impl ClientCounts {
    /// Returns the requests that got a response.
    pub(super) fn answered(&self) -> u64 {
        self.served + self.errors
    }

    /// Counts the end of a request.
    pub(super) fn add(&mut self, end: RequestEnd) {
        let count = match end {
            RequestEnd::Served => &mut self.served,
            RequestEnd::Error => &mut self.errors,
            RequestEnd::TimedOut => &mut self.timed_out,
            RequestEnd::Refused => &mut self.refused,
            RequestEnd::Reset => &mut self.reset,
        };
        *count += 1;
    }
}
