//! Limit on the connections of remote peers to the care port.
//!
//! If the port is bound to all addresses, any pod can reach it. A remote peer must not exhaust it for the
//! doctor, whose loopback connections are not limited, or for the kubelet, which has its own address. So
//! there is a limit per address, and a larger one for all remote addresses.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use crate::lock::lock;

/// Maximum number of connections of one remote address.
const MAX_PER_ADDRESS: usize = 16;
/// Maximum number of connections of all remote addresses.
const MAX_TOTAL: usize = 512;

/// Number of open connections per remote address.
#[derive(Debug, Clone, Default)]
pub(super) struct ConnectionLimiter(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// Permit for one connection, released on drop.
#[derive(Debug)]
pub(super) struct Permit(Option<(ConnectionLimiter, IpAddr)>);

impl ConnectionLimiter {
    /// Returns a permit, or `None` if a limit is reached. Local peers are not limited.
    pub(super) fn try_acquire(&self, peer: IpAddr) -> Option<Permit> {
        let peer = peer.to_canonical();
        if peer.is_loopback() {
            return Some(Permit(None));
        }
        let mut held = lock(&self.0);
        let (total, own) = (held.values().sum::<usize>(), held.entry(peer).or_default());
        if total >= MAX_TOTAL || *own >= MAX_PER_ADDRESS {
            return None; // may leave an entry of zero, which the next release removes
        }
        *own += 1;
        Some(Permit(Some((self.clone(), peer))))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some((limiter, peer)) = &self.0 else {
            return;
        };
        let mut held = lock(&limiter.0);
        if let Some(own) = held.get_mut(peer) {
            *own -= 1;
        }
        held.retain(|_, own| *own > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limiter_bounds_one_address_and_admits_others() {
        let limiter = ConnectionLimiter::default();
        let (flooding, kubelet) = (IpAddr::from([10, 0, 0, 9]), IpAddr::from([10, 0, 0, 1]));
        let mut permits: Vec<_> = (0..MAX_PER_ADDRESS)
            .map(|_| limiter.try_acquire(flooding))
            .collect();
        assert!(permits.iter().all(Option::is_some));
        assert!(limiter.try_acquire(flooding).is_none());
        assert!(
            limiter
                .try_acquire("::ffff:10.0.0.9".parse().expect("mapped"))
                .is_none()
        );
        assert!(limiter.try_acquire(kubelet).is_some());
        permits.pop();
        assert!(
            limiter.try_acquire(flooding).is_some(),
            "a dropped permit is released"
        );
    }

    #[test]
    fn limiter_bounds_all_remote_addresses_and_admits_loopback() {
        let limiter = ConnectionLimiter::default();
        let remote = (0..=3).flat_map(|c| (0..=255).map(move |d| IpAddr::from([10, 0, c, d])));
        let permits: Vec<_> = remote.map_while(|peer| limiter.try_acquire(peer)).collect();
        assert_eq!(permits.len(), MAX_TOTAL);
        let local = IpAddr::from([127, 0, 0, 1]);
        assert!((0..2 * MAX_TOTAL).all(|_| limiter.try_acquire(local).is_some()));
        drop(permits);
        assert!(limiter.0.lock().expect("not poisoned").is_empty());
    }
}
