//! Free ports of a run, all on 127.0.0.1.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range of outgoing connections, so that no client holds a port of a listener that restarts.
const RANGE: Range<u16> = 20_000..32_000;
/// Ports taken so far by this process. They are not used again: sockets in TIME-WAIT stay behind.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// Ports of one pod.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) app: u16,
    pub(super) care: u16,
    pub(super) control: u16,
    pub(super) sidecar: u16,
    pub(super) nginx: u16,
}

impl Ports {
    pub(super) fn free() -> Result<Self, String> {
        Ok(Self {
            app: next()?,
            care: next()?,
            control: next()?,
            sidecar: next()?,
            nginx: next()?,
        })
    }
}

fn next() -> Result<u16, String> {
    let places = u32::from(RANGE.end - RANGE.start);
    let first = std::process::id().wrapping_mul(64);
    for _ in 0..places {
        let place = first.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % places;
        let port = RANGE.start + u16::try_from(place).unwrap_or_default();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(format!("no free port in {RANGE:?}"))
}
