//! Size of a request: the bytes that arrive, divided by the requests that begin meanwhile.
//!
//! A connection of HTTP/2 carries many requests, so that only its unread bytes tell the number of those that
//! wait. An interval between two polls counts only if the app has read nearly everything at both, because the
//! bytes are then those of the requests that began. The size is the median of the last minutes.
//!
//! # Hazards
//!
//! - The bytes are those of connections that both polls saw. Where most requests open a connection of their own,
//!   the size is too small, and unread bytes count as more requests than they are.
//! - The bytes of a poll in which the doctor was late are lost, and the value of that interval is too small. The
//!   median is not, unless such polls are frequent.
//! - The unread part of a large body counts as many requests, unless so many bytes are usual.

use super::counts::MIN_REQUESTS;
use super::usual::Usual;
use crate::number::as_f64;
use crate::observation::PortSockets;
use crate::time::Time;

/// Share of the bytes of an interval that may be unread at its end, as a divisor.
const MOSTLY_READ: u64 = 10;

/// Bytes of the smallest request: the head of an HTTP/2 frame (9 bytes, RFC 9113) and four fields of one byte
/// each (RFC 7541). Fewer bytes are those of other connections than the requests came over.
const SMALLEST: f64 = 13.0;

/// Size of the requests of an app.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RequestSize {
    /// Requests begun up to the latest poll. `None` if no interval begins with it.
    begun: Option<u64>,
    /// Bytes and requests since the latest value of the median.
    bytes: u64,
    requests: u64,
    usual: Usual,
}

// === impl RequestSize ===

impl Default for RequestSize {
    fn default() -> Self {
        Self {
            begun: None,
            bytes: 0,
            requests: 0,
            usual: Usual::new(),
        }
    }
}

impl RequestSize {
    /// Adds a poll. `begun` are the requests begun since the start of the app.
    pub(super) fn learn(&mut self, now: Time, sockets: &PortSockets, begun: u64) {
        let received = sockets.received_bytes;
        let is_read = received
            .is_some_and(|received| sockets.unread_bytes.saturating_mul(MOSTLY_READ) <= received);
        let Some(received) = received.filter(|_| is_read) else {
            self.interrupt();
            return;
        };
        if let Some(before) = self.begun.replace(begun) {
            self.bytes = self.bytes.saturating_add(received);
            self.requests = self.requests.saturating_add(begun.saturating_sub(before));
        }
        let requests = as_f64(self.requests);
        if requests >= MIN_REQUESTS && self.usual.is_due(now) {
            let size = as_f64(self.bytes) / requests;
            (self.bytes, self.requests) = (0, 0);
            if size >= SMALLEST {
                self.usual.push(now, size);
            }
        }
    }

    /// Ends the interval, because the next poll does not follow on one that counts.
    pub(super) fn interrupt(&mut self) {
        self.begun = None;
        (self.bytes, self.requests) = (0, 0);
    }

    /// Returns the bytes of a request. `None` while they are unknown; unread bytes then prove nothing.
    pub(super) fn bytes(&self, now: Time) -> Option<f64> {
        self.usual.median(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// App whose sockets are polled every 5 s.
    #[derive(Default)]
    struct World {
        size: RequestSize,
        now: Time,
        begun: u64,
    }

    impl World {
        /// Polls `polls` times, with these requests and bytes in each interval.
        fn run(&mut self, polls: u64, requests: u64, received: Option<u64>, unread_bytes: u64) {
            for _ in 0..polls {
                self.now = self.now + Duration::from_secs(5);
                self.begun += requests;
                let sockets = PortSockets {
                    received_bytes: received,
                    unread_bytes,
                    ..PortSockets::default()
                };
                self.size.learn(self.now, &sockets, self.begun);
            }
        }

        fn bytes(&self) -> Option<f64> {
            self.size.bytes(self.now)
        }
    }

    #[test]
    fn size_is_learned_once_enough_requests_have_begun() {
        let mut world = World::default();
        world.run(5, 4, Some(160), 0);
        assert_eq!(world.bytes(), None, "16 requests");
        world.run(1, 4, Some(160), 0);
        assert_eq!(world.bytes(), Some(40.0));
    }

    #[test]
    fn size_is_a_median_that_an_upload_does_not_move() {
        let mut world = World::default();
        world.run(10, 100, Some(4000), 0);
        world.run(4, 100, Some(90_000_000), 0);
        world.run(40, 100, Some(4000), 0);
        assert_eq!(world.bytes(), Some(40.0));
    }

    #[test]
    fn interval_with_an_unread_queue_at_either_end_does_not_count() {
        let mut world = World::default();
        world.run(1, 100, Some(4000), 0);
        world.run(1, 50, Some(4000), 401);
        assert_eq!(world.bytes(), None, "unread after");
        // The queue of 50 requests is read in the interval after it.
        world.run(1, 150, Some(4000), 0);
        assert_eq!(world.bytes(), None, "unread before");
        world.run(1, 100, Some(4000), 0);
        assert_eq!(world.bytes(), Some(40.0));
    }

    #[test]
    fn interval_after_an_interruption_or_without_bytes_does_not_count() {
        let mut world = World::default();
        world.run(2, 10, Some(400), 0);
        world.size.interrupt();
        world.run(1, 100, Some(4000), 0);
        world.run(1, 100, None, 0);
        world.run(1, 100, Some(4000), 0);
        assert_eq!(world.bytes(), None);
    }

    #[test]
    fn bytes_of_other_connections_are_no_size() {
        let mut world = World::default();
        world.run(20, 100, Some(1200), 0);
        assert_eq!(world.bytes(), None, "12 bytes a request");
    }
}
