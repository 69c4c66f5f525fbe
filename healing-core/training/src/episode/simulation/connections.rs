//! Kept connections: those that are open, and the calls that wait for one.

use std::collections::VecDeque;

use super::call::Call;
use crate::episode::spec::{Connections, PatienceFrom};

/// Connections between the clients and the app.
#[derive(Debug)]
pub(super) struct ConnectionPool<'a> {
    spec: Option<&'a Connections>,
    /// Number of open connections, with those that carry no request.
    open: u32,
    /// Calls that wait for a connection, with the time since which they do.
    waiting: VecDeque<(f64, Call)>,
}

/// Connection of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connection {
    /// A connection that the app has to accept.
    New,
    /// A connection that is open.
    Kept,
}

// === impl ConnectionPool ===

impl<'a> ConnectionPool<'a> {
    /// Returns the pool without connections; without a description each request opens a new one.
    pub(super) fn new(spec: Option<&'a Connections>) -> Self {
        Self {
            spec,
            open: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Returns the connection of a further request if `in_use` connections carry one; queues its call
    /// if there is none.
    pub(super) fn take(&mut self, now: f64, call: Call, in_use: u32) -> Option<Connection> {
        let limit = self.spec.map_or(u32::MAX, |spec| spec.limit);
        if in_use >= limit || !self.waiting.is_empty() {
            self.waiting.push_back((now, call));
            return None;
        }
        Some(self.next(in_use))
    }

    /// Removes the first waiting call if a connection is free for it.
    pub(super) fn take_waiting(&mut self, in_use: u32) -> Option<(f64, Call, Connection)> {
        let limit = self.spec?.limit;
        if in_use >= limit {
            return None;
        }
        let (since, call) = self.waiting.pop_front()?;
        Some((since, call, self.next(in_use)))
    }

    /// Removes the first waiting call if its wait is over; `leaves_at` is the end of a patience that
    /// begins at a time.
    pub(super) fn expired(
        &mut self,
        now: f64,
        leaves_at: impl Fn(f64, &Call) -> f64,
    ) -> Option<Call> {
        let spec = self.spec?;
        let (since, call) = self.waiting.front()?;
        let patience_ends = match spec.patience_from {
            // A proxy that hides it sends the request nevertheless.
            PatienceFrom::Call if !spec.hides_leaving => leaves_at(*since, call),
            _ => f64::INFINITY,
        };
        let is_over = now >= patience_ends.min(since + spec.longest_wait);
        is_over
            .then(|| self.waiting.pop_front())
            .flatten()
            .map(|(_, call)| call)
    }

    /// Returns the time from which the patience of a client counts that called and sent at these times.
    pub(super) fn patience_from(&self, called: f64, sent: f64) -> f64 {
        match self.spec.map(|spec| spec.patience_from) {
            Some(PatienceFrom::Call) => called,
            Some(PatienceFrom::Sending) | None => sent,
        }
    }

    /// Returns `true` if the app does not learn that a client has left.
    pub(super) fn hides_leaving(&self) -> bool {
        self.spec.is_some_and(|spec| spec.hides_leaving)
    }

    /// Returns the number of open connections without a request if `in_use` connections carry one. Without
    /// a description none is kept.
    pub(super) fn idle(&self, in_use: u32) -> u32 {
        self.spec.map_or(0, |_| self.open.saturating_sub(in_use))
    }

    /// Records that a client has closed its connection, or that the app refused it.
    pub(super) fn close(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Records that the process has exited.
    pub(super) fn close_all(&mut self) {
        self.open = 0;
    }

    fn next(&mut self, in_use: u32) -> Connection {
        if self.spec.is_some() && self.open > in_use {
            Connection::Kept
        } else {
            self.open += 1;
            Connection::New
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::simulation::call::OPEN;

    const POOL: Connections = Connections {
        limit: 2,
        longest_wait: 5.0,
        patience_from: PatienceFrom::Sending,
        hides_leaving: false,
    };

    fn call(index: u64) -> Call {
        Call {
            index,
            first_sent: 0.0,
            client: OPEN,
            attempt: 0,
        }
    }

    #[test]
    fn connections_are_opened_up_to_the_limit_and_kept() {
        let mut pool = ConnectionPool::new(Some(&POOL));
        assert_eq!(pool.take(0.0, call(0), 0), Some(Connection::New));
        assert_eq!(pool.take(0.0, call(1), 1), Some(Connection::New));
        assert_eq!(pool.take(0.0, call(2), 2), None);
        assert_eq!(pool.take_waiting(2), None);
        let waiting = pool.take_waiting(1).unwrap();
        assert_eq!((waiting.1.index, waiting.2), (2, Connection::Kept));
        assert_eq!((pool.idle(1), pool.idle(2)), (1, 0));
        pool.close();
        assert_eq!(pool.take(1.0, call(3), 1), Some(Connection::New));
    }

    #[test]
    fn waiting_call_expires_by_its_patience_or_the_longest_wait() {
        for (patience_from, at) in [(PatienceFrom::Sending, 5.0), (PatienceFrom::Call, 3.0)] {
            let spec = Connections {
                patience_from,
                ..POOL
            };
            let mut pool = ConnectionPool::new(Some(&spec));
            assert_eq!(pool.take(0.0, call(7), 2), None);
            let mut expires = |now| pool.expired(now, |since, _| since + 3.0);
            assert_eq!(expires(at - 0.1), None);
            assert_eq!(expires(at).map(|call| call.index), Some(7));
        }
    }
}
