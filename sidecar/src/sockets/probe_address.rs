//! Source address of the probes of the front door's port, by which the app's ends of them are told from clients.
//!
//! The whole of 127.0.0.0/8 belongs to the loopback interface, so the probes can have an address that no
//! client uses. The address of a connection stays known when the doctor has closed it or was restarted, and
//! the app has not accepted or read it.
//!
//! # Hazards
//!
//! IPv6 has one loopback address. Probes of `[::1]`, and all probes where the address cannot be used, count
//! as clients: none while the app answers, because the sockets are read before the probe, and one per probe
//! that the app has not read.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// Fixed address, so that the probes of an earlier doctor and of `healing check` are known as well.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 88, 88, 88);

/// Returns the address. `None` if no socket can have it, as where only 127.0.0.1 is configured.
pub(crate) fn usable() -> Option<Ipv4Addr> {
    UdpSocket::bind((ADDRESS, 0)).ok().map(|_| ADDRESS)
}

/// Returns `true` for the address, also in the form in which an IPv6 socket shows an IPv4 peer.
pub(super) fn is_probe(peer: IpAddr) -> bool {
    peer.to_canonical() == ADDRESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probe_address_is_recognised_in_mapped_form() {
        let mapped = IpAddr::from(ADDRESS.to_ipv6_mapped());
        assert!(is_probe(ADDRESS.into()) && is_probe(mapped));
        assert!(!is_probe(Ipv4Addr::LOCALHOST.into()));
    }
}
