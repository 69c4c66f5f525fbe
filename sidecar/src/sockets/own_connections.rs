//! Connections of this process, which are no demand of clients.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Maximum number of remembered connections: the largest accept backlog at the kernel's defaults.
const MAX_CONNECTIONS: usize = 4096;

/// Local addresses of this process's connections. Clones share them.
///
/// A closed connection is remembered until the app's end of it is gone, because the request of a probe
/// that timed out stays in the app's accept backlog.
#[derive(Debug, Clone, Default)]
pub struct OwnConnections(Arc<Mutex<BTreeMap<SocketAddr, State>>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Closed,
}

/// Connection in use. It counts as closed when this is dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    connections: OwnConnections,
    address: SocketAddr,
}

impl OwnConnections {
    /// Adds a connection by its local address.
    pub(crate) fn open(&self, address: SocketAddr) -> OpenConnection {
        let address = canonical(address);
        let mut connections = self.lock();
        if connections.len() >= MAX_CONNECTIONS {
            connections.retain(|_, state| *state == State::Open);
        }
        connections.insert(address, State::Open);
        OpenConnection {
            connections: self.clone(),
            address,
        }
    }

    /// Returns the addresses of all remembered connections.
    pub(super) fn addresses(&self) -> BTreeSet<SocketAddr> {
        self.lock().keys().copied().collect()
    }

    /// Forgets those of `known` that are closed and were not seen at the app's end.
    pub(super) fn forget_unseen(&self, known: &BTreeSet<SocketAddr>, seen: &BTreeSet<SocketAddr>) {
        self.lock().retain(|address, state| {
            *state == State::Open || !known.contains(address) || seen.contains(address)
        });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        if let Some(state) = self.connections.lock().get_mut(&self.address) {
            *state = State::Closed;
        }
    }
}

/// Returns the address in the form in which both ends agree: an IPv6 socket shows an IPv4 peer as a
/// mapped address.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn closed_connection_is_remembered_until_the_app_closes_it() {
        let own = OwnConnections::default();
        let open = own.open(address(1));
        drop(own.open(address(2)));
        let (all, both) = (own.addresses(), BTreeSet::from([address(1), address(2)]));
        assert_eq!(all, both);
        own.forget_unseen(&all, &both);
        assert_eq!(own.addresses(), both);
        own.forget_unseen(&all, &BTreeSet::new());
        assert_eq!(own.addresses(), BTreeSet::from([address(1)]));
        drop(open);
        own.forget_unseen(&all, &BTreeSet::new());
        assert_eq!(own.addresses(), BTreeSet::new());
    }

    #[test]
    fn connection_opened_during_a_read_is_not_forgotten_by_it() {
        let own = OwnConnections::default();
        let known = own.addresses();
        drop(own.open(address(1)));
        own.forget_unseen(&known, &BTreeSet::new());
        assert_eq!(own.addresses(), BTreeSet::from([address(1)]));
    }

    #[test]
    fn memory_of_closed_connections_is_bounded() {
        let own = OwnConnections::default();
        for port in 1..10_000 {
            drop(own.open(address(port)));
        }
        assert!(own.addresses().len() <= MAX_CONNECTIONS);
    }

    #[test]
    fn mapped_address_equals_its_ipv4_address() {
        let own = OwnConnections::default();
        let _open = own.open("[::ffff:127.0.0.1]:7".parse().unwrap());
        assert!(own.addresses().contains(&address(7)));
    }
}
