//! Free ports on 127.0.0.1 for the listeners of demo and trials.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

/// Range of free ports, below the kernel's range for outgoing connections (32768 and up). Otherwise the
/// port of an app that is being restarted could be taken by a client, or a client could connect to itself.
const RANGE: Range<u16> = 20_000..32_000;
/// Number of ports that this process has tried. None is tried twice, because sockets in TIME-WAIT may
/// remain on it.
static TRIED: AtomicU32 = AtomicU32::new(0);

/// Error of a search in which every port of the range is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no free port in {RANGE:?}")]
pub struct NoFreePort;

/// Returns a free port that this process has not used. The first one differs between processes, so that
/// two of them do not race for the same ports.
///
/// # Errors
///
/// Returns an error if every port of the range is taken.
pub fn next() -> Result<u16, NoFreePort> {
    let count = u32::from(RANGE.end - RANGE.start);
    let first = std::process::id().wrapping_mul(64);
    (0..count)
        .map(|_| first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % count)
        .filter_map(|offset| u16::try_from(offset).ok())
        .map(|offset| RANGE.start + offset)
        .find(|port| is_free(*port))
        .ok_or(NoFreePort)
}

/// Returns `true` if no process listens on the port.
#[must_use]
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
