//! Sums over the sockets of one port.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use healing_core::observation::PortSockets;
use netlink_packet_sock_diag::inet::InetResponseHeader;
use netlink_packet_sock_diag::{TCP_CLOSE_WAIT, TCP_ESTABLISHED, TCP_LISTEN};

use super::own_connections::{OwnConnections, canonical};

/// Sums over the sockets of one port, without this process's own connections.
#[derive(Debug)]
pub(super) struct Tally<'a> {
    connections: &'a OwnConnections,
    /// Addresses of the own connections at the start.
    own: BTreeSet<SocketAddr>,
    own_seen: BTreeSet<SocketAddr>,
    own_in_backlog: u64,
    remaining: usize,
    sums: PortSockets,
}

impl<'a> Tally<'a> {
    /// Creates a tally of at most `limit` sockets that leaves out these connections.
    pub(super) fn new(connections: &'a OwnConnections, limit: usize) -> Self {
        Self {
            connections,
            own: connections.addresses(),
            own_seen: BTreeSet::new(),
            own_in_backlog: 0,
            remaining: limit,
            sums: PortSockets::default(),
        }
    }

    /// Returns the number of sockets that can be added.
    pub(super) fn remaining(&self) -> usize {
        self.remaining
    }

    /// Returns `true` if no more sockets are counted.
    pub(super) fn is_full(&self) -> bool {
        self.remaining == 0
    }

    /// Adds a socket.
    pub(super) fn add(&mut self, socket: &InetResponseHeader) {
        if self.is_full() {
            return;
        }
        self.remaining -= 1;
        let queue = u64::from(socket.recv_queue);
        match socket.state {
            TCP_LISTEN => {
                self.sums.listening = true;
                // The receive queue of a listening socket is its accept backlog.
                self.sums.backlog += queue;
            }
            TCP_ESTABLISHED => self.add_connection(socket, queue),
            // An unread end of the stream counts as one byte in the kernel.
            TCP_CLOSE_WAIT => self.add_connection(socket, queue.saturating_sub(1)),
            _ => {}
        }
    }

    fn add_connection(&mut self, socket: &InetResponseHeader, unread_bytes: u64) {
        let id = &socket.socket_id;
        let peer = SocketAddr::new(id.destination_address, id.destination_port);
        let peer = canonical(peer);
        if self.own.contains(&peer) {
            self.own_seen.insert(peer);
            // A socket gets its inode when the app accepts it.
            self.own_in_backlog += u64::from(socket.inode == 0);
            return;
        }
        self.sums.established += u64::from(socket.state == TCP_ESTABLISHED);
        self.sums.unread += u64::from(unread_bytes > 0);
        self.sums.unread_bytes += unread_bytes;
    }

    /// Returns the sums. Closed own connections that were not found are forgotten.
    pub(super) fn finish(self) -> PortSockets {
        self.connections.forget_unseen(&self.own, &self.own_seen);
        PortSockets {
            backlog: self.sums.backlog.saturating_sub(self.own_in_backlog),
            ..self.sums
        }
    }
}

#[cfg(test)]
mod tests {
    use netlink_packet_sock_diag::AF_INET;
    use netlink_packet_sock_diag::inet::SocketId;

    use super::*;

    fn socket(state: u8, recv_queue: u32) -> InetResponseHeader {
        InetResponseHeader {
            family: AF_INET,
            state,
            timer: None,
            socket_id: SocketId::new_v4(),
            recv_queue,
            send_queue: 0,
            uid: 0,
            inode: 1,
        }
    }

    #[test]
    fn listening_sockets_of_one_port_share_their_backlog() {
        let own = OwnConnections::default();
        let mut tally = Tally::new(&own, 10);
        tally.add(&socket(TCP_LISTEN, 2));
        tally.add(&socket(TCP_LISTEN, 3));
        let sums = tally.finish();
        assert_eq!((sums.backlog, sums.unread_bytes), (5, 0));
    }

    #[test]
    fn sockets_beyond_the_limit_are_not_counted() {
        let own = OwnConnections::default();
        let mut tally = Tally::new(&own, 2);
        for _ in 0..3 {
            tally.add(&socket(TCP_ESTABLISHED, 7));
        }
        assert!(tally.is_full());
        let sums = tally.finish();
        assert_eq!((sums.established, sums.unread_bytes), (2, 14));
    }
}
