//! How many connections strangers may hold on the care port.
//!
//! Where it is bound to all addresses, anyone in the cluster can reach it. Nobody there may keep
//! out the doctor (on this machine: never limited) or the kubelet (an address of its own): so the
//! limit is one for each address, with a larger one for all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections of one address.
pub(super) const MOST_EACH: usize = 16;
/// Connections of all strangers.
const MOST: usize = 512;

/// Who is connected, by address.
#[derive(Debug, Clone, Default)]
pub(super) struct Crowd(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Option<(Crowd, IpAddr)>);

impl Crowd {
    /// Nothing if this one is too many.
    pub(super) fn enter(&self, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        if peer.is_loopback() {
            return Some(Place(None));
        }
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (held.values().sum::<usize>(), held.entry(peer).or_default());
        if all >= MOST || *own >= MOST_EACH {
            return None; // an entry of zero stays only where all places are taken
        }
        *own += 1;
        Some(Place(Some((self.clone(), peer))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((crowd, peer)) = &self.0 else { return };
        let mut held = crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
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
    fn one_address_is_limited_and_others_are_not() {
        let crowd = Crowd::default();
        let (greedy, kubelet) = (IpAddr::from([10, 0, 0, 9]), IpAddr::from([10, 0, 0, 1]));
        let mut places: Vec<_> = (0..MOST_EACH).map(|_| crowd.enter(greedy)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(crowd.enter(greedy).is_none());
        assert!(
            crowd
                .enter("::ffff:10.0.0.9".parse().expect("mapped"))
                .is_none()
        );
        assert!(crowd.enter(kubelet).is_some());
        places.pop();
        assert!(crowd.enter(greedy).is_some(), "a place is given back");
    }

    #[test]
    fn a_crowd_is_limited_and_this_machine_is_not() {
        let crowd = Crowd::default();
        let strangers = (0..=3).flat_map(|c| (0..=255).map(move |d| IpAddr::from([10, 0, c, d])));
        let places: Vec<_> = strangers.map_while(|peer| crowd.enter(peer)).collect();
        assert_eq!(places.len(), MOST);
        let here = IpAddr::from([127, 0, 0, 1]);
        assert!((0..2 * MOST).all(|_| crowd.enter(here).is_some()));
        drop(places);
        assert!(crowd.0.lock().expect("not poisoned").is_empty());
    }
}
