//! Kept connections between clients and app: the pool of a client, or that of a reverse proxy.

/// Connections that are kept open and carry one request at a time (HTTP/1.1 keep-alive). A request
/// that finds none free and no room for a new one waits in a queue that the app cannot see, in order
/// of arrival.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Connections {
    /// Maximum number of connections.
    pub limit: u32,
    /// Longest wait for a connection in seconds, after which the request fails unsent; infinite for none.
    pub longest_wait: f64,
    /// Time from which the patience of a client counts.
    pub patience_from: PatienceFrom,
    /// Set if a client that leaves does not close the connection to the app, as behind a reverse proxy
    /// that finishes what it has begun. The app serves such a request like any other.
    pub hides_leaving: bool,
}

/// Time from which the patience of a client counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatienceFrom {
    /// The call: the wait for a connection counts.
    Call,
    /// The sending of the request over a connection.
    Sending,
}
