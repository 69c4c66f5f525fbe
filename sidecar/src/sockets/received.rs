//! Bytes that arrived between two polls on the connections that were established in both.
//!
//! A connection of HTTP/2 carries many requests, so that connections alone do not tell their number. The
//! bytes that arrived and the requests that began give the size of a request, and the unread bytes then the
//! requests that wait.

use std::collections::HashMap;

/// Maximum number of connections whose bytes are read. Of more connections, those with unread bytes tell
/// enough.
const MAX_CONNECTIONS: usize = 256;

/// Identity of a socket, which the kernel uses only once.
pub(super) type Cookie = [u8; 8];

/// Bytes that each established connection received since it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counters(HashMap<Cookie, u64>);

impl Counters {
    /// Returns the counters with this connection. `None` if they are too many, or the kernel did not report
    /// its bytes.
    pub(super) fn with(mut self, connection: Cookie, bytes: Option<u64>) -> Option<Self> {
        self.0.insert(connection, bytes?);
        (self.0.len() <= MAX_CONNECTIONS).then_some(self)
    }
}

/// Counters of the last poll.
#[derive(Debug, Default)]
pub(super) struct Received {
    last: Option<Counters>,
    established: u64,
}

impl Received {
    /// Returns the empty counters for the next read. `None` if the last one found too many connections.
    pub(super) fn counters(&self) -> Option<Counters> {
        (self.established <= MAX_CONNECTIONS as u64).then(Counters::default)
    }

    /// Replaces the counters by those of this poll. Returns the bytes that arrived since the last one.
    pub(super) fn advance(&mut self, counters: Option<Counters>, established: u64) -> Option<u64> {
        self.established = established;
        let last = std::mem::replace(&mut self.last, counters)?;
        let counters = self.last.as_ref()?;
        let arrived = counters.0.iter().filter_map(|(connection, bytes)| {
            let before = last.0.get(connection)?;
            Some(bytes.saturating_sub(*before))
        });
        Some(arrived.sum())
    }

    /// Forgets the counters, because a poll could not be read.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(connections: &[(u8, u64)]) -> Option<Counters> {
        let empty = Some(Counters::default());
        connections.iter().fold(empty, |counters, (id, bytes)| {
            counters?.with([*id; 8], Some(*bytes))
        })
    }

    #[test]
    fn only_connections_of_both_polls_are_summed() {
        let mut received = Received::default();
        assert_eq!(received.advance(counters(&[(1, 10), (2, 500)]), 2), None);
        let second = received.advance(counters(&[(1, 30), (3, 1000)]), 2);
        assert_eq!(second, Some(20));
        let third = received.advance(counters(&[(1, 30), (3, 1007)]), 2);
        assert_eq!(third, Some(7));
    }

    #[test]
    fn poll_without_counters_makes_two_figures_absent() {
        let mut received = Received::default();
        received.advance(counters(&[(1, 10)]), 1);
        assert_eq!(received.advance(None, 1), None);
        assert_eq!(received.advance(counters(&[(1, 20)]), 1), None);
        assert_eq!(received.advance(counters(&[(1, 25)]), 1), Some(5));
        received.forget();
        assert_eq!(received.advance(counters(&[(1, 30)]), 1), None);
    }

    #[test]
    fn counters_are_absent_beyond_the_limit_and_read_again_below() {
        let mut received = Received::default();
        let limit = MAX_CONNECTIONS as u64;
        received.advance(None, limit + 1);
        assert_eq!(received.counters(), None);
        received.advance(None, limit);
        let full = (0..limit).try_fold(received.counters().unwrap(), |counters, id| {
            counters.with(id.to_le_bytes(), Some(0))
        });
        assert_eq!(full.unwrap().with([u8::MAX; 8], Some(0)), None);
    }

    #[test]
    fn counters_are_absent_if_the_kernel_does_not_report_bytes() {
        assert_eq!(Counters::default().with([0; 8], None), None);
    }
}
