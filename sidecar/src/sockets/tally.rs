//! Sums over the sockets of one port.

use healing_core::observation::PortSockets;
use netlink_packet_sock_diag::inet::InetResponseHeader;
use netlink_packet_sock_diag::{TCP_CLOSE_WAIT, TCP_ESTABLISHED, TCP_LISTEN};

use super::probe_address;
use super::received::Counters;

/// Sums over the sockets of one port, without those of the doctor's probes.
#[derive(Debug)]
pub(super) struct Tally {
    probes_in_backlog: u64,
    remaining: usize,
    sums: PortSockets,
    counters: Option<Counters>,
}

impl Tally {
    /// Creates a tally of at most `limit` sockets. The bytes that they received are added to `counters`.
    pub(super) fn new(limit: usize, counters: Option<Counters>) -> Self {
        Self {
            probes_in_backlog: 0,
            remaining: limit,
            sums: PortSockets::default(),
            counters,
        }
    }

    /// Returns `true` if the bytes that each connection received are of use.
    pub(super) fn counts_received(&self) -> bool {
        self.counters.is_some()
    }

    /// Returns the number of sockets that can be added.
    pub(super) fn remaining(&self) -> usize {
        self.remaining
    }

    /// Returns `true` if no more sockets are counted.
    pub(super) fn is_full(&self) -> bool {
        self.remaining == 0
    }

    /// Adds a socket that has received this number of bytes, if known.
    pub(super) fn add(&mut self, socket: &InetResponseHeader, received: Option<u64>) {
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
            TCP_ESTABLISHED => self.add_connection(socket, queue, received),
            // An unread end of the stream counts as one byte in the kernel.
            TCP_CLOSE_WAIT => self.add_connection(socket, queue.saturating_sub(1), None),
            _ => {}
        }
    }

    fn add_connection(
        &mut self,
        socket: &InetResponseHeader,
        unread_bytes: u64,
        received: Option<u64>,
    ) {
        if probe_address::is_probe(socket.socket_id.destination_address) {
            // A socket gets its inode when the app accepts it.
            self.probes_in_backlog += u64::from(socket.inode == 0);
            return;
        }
        if socket.state == TCP_ESTABLISHED {
            self.sums.established += 1;
            let cookie = socket.socket_id.cookie;
            self.counters = self
                .counters
                .take()
                .and_then(|all| all.with(cookie, received));
        }
        self.sums.unread += u64::from(unread_bytes > 0);
        self.sums.unread_bytes += unread_bytes;
    }

    /// Returns the sums, and the bytes that each connection received.
    pub(super) fn finish(self) -> (PortSockets, Option<Counters>) {
        let sums = PortSockets {
            backlog: self.sums.backlog.saturating_sub(self.probes_in_backlog),
            ..self.sums
        };
        (sums, self.counters)
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
        let mut tally = Tally::new(10, None);
        tally.add(&socket(TCP_LISTEN, 2), None);
        tally.add(&socket(TCP_LISTEN, 3), None);
        let (sums, _) = tally.finish();
        assert_eq!((sums.backlog, sums.unread_bytes), (5, 0));
    }

    #[test]
    fn sockets_beyond_the_limit_are_not_counted() {
        let mut tally = Tally::new(2, None);
        for _ in 0..3 {
            tally.add(&socket(TCP_ESTABLISHED, 7), None);
        }
        assert!(tally.is_full());
        let (sums, _) = tally.finish();
        assert_eq!((sums.established, sums.unread_bytes), (2, 14));
    }
}
