//! Departures of clients with fixed patience, in order of time.

use std::collections::VecDeque;

use super::requests::{Key, Requests};

/// Times at which clients leave. All wait equally long, so the first to send is the first to leave.
#[derive(Debug, Default)]
pub(super) struct Departures {
    queue: VecDeque<(f64, Key)>,
}

// === impl Departures ===

impl Departures {
    /// Adds a departure, which must not be earlier than the others.
    pub(super) fn push(&mut self, at: f64, key: Key) {
        self.queue.push_back((at, key));
    }

    /// Returns the time of the next departure from a request that has not finished; infinite without
    /// one. Removes those of finished requests before it.
    pub(super) fn next_time(&mut self, requests: &Requests) -> f64 {
        while let Some(&(at, key)) = self.queue.front() {
            if requests.peek(key).is_some() {
                return at;
            }
            self.queue.pop_front();
        }
        f64::INFINITY
    }

    /// Removes the next departure.
    pub(super) fn pop(&mut self) -> Option<Key> {
        self.queue.pop_front().map(|(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::simulation::testing::requests;

    #[test]
    fn departure_from_a_finished_request_is_skipped() {
        let (mut requests, [first, second, _]) = requests();
        let mut departures = Departures::default();
        departures.push(5.0, first);
        departures.push(6.0, second);
        assert!((departures.next_time(&requests) - 5.0).abs() < 1e-9);
        requests.remove(first);
        assert!((departures.next_time(&requests) - 6.0).abs() < 1e-9);
        assert_eq!(departures.pop(), Some(second));
        assert!(departures.next_time(&requests).is_infinite());
    }
}
