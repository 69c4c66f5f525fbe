//! Ports of the demo.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

/// Range of free ports, below the kernel's range for outgoing connections (32768 and up): otherwise a
/// client's own port could take the port of an app that is being restarted, or a client could connect
/// to itself meanwhile.
const FREE_RANGE: Range<u16> = 20_000..32_000;

/// One port for each listener, all on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// The app's own port.
    pub app: u16,
    /// Port of the sidecar's `/healthz` and `/metrics`.
    pub sidecar: u16,
    /// The app's care port.
    pub care: u16,
    /// Port of the process that the app depends on.
    pub dependency: u16,
}

impl Ports {
    /// Returns app, sidecar and care port from `base` on; with 0, and for the dependency, free ones.
    ///
    /// # Errors
    ///
    /// A port is taken, or `base` leaves no room for three.
    pub fn from_base(base: u16) -> Result<Self, String> {
        let mut free = candidates().filter(|port| is_free(*port));
        let mut next = || {
            free.next()
                .ok_or_else(|| format!("no free port in {FREE_RANGE:?}"))
        };
        if base == 0 {
            return Ok(Self {
                app: next()?,
                sidecar: next()?,
                care: next()?,
                dependency: next()?,
            });
        }
        let Some(care) = base.checked_add(2) else {
            return Err(format!(
                "--port-base {base} leaves no room for three ports: at most 65533"
            ));
        };
        for (port, owner) in [
            (base, "the app"),
            (base + 1, "the sidecar"),
            (care, "the care port"),
        ] {
            if !is_free(port) {
                return Err(format!(
                    "port {port} (for {owner}) is taken by another process: choose others by \
                     --port-base N (N, N+1 and N+2 are used), or free ones by --port-base 0"
                ));
            }
        }
        let dependency = next()?;
        Ok(Self {
            app: base,
            sidecar: base + 1,
            care,
            dependency,
        })
    }
}

/// Returns all of [`FREE_RANGE`], from a start that differs between processes, so that two demos do not
/// race for the same ports.
fn candidates() -> impl Iterator<Item = u16> {
    let count = u32::from(FREE_RANGE.end - FREE_RANGE.start);
    let first = std::process::id().wrapping_mul(4).rem_euclid(count);
    (0..count)
        .filter_map(move |n| u16::try_from((first + n) % count).ok())
        .map(|n| FREE_RANGE.start + n)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_port_error_names_the_port_and_the_flag() {
        let ports = Ports::from_base(0).unwrap();
        let _busy = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.app)).unwrap();
        let message = Ports::from_base(ports.app).unwrap_err();
        assert!(message.contains(&ports.app.to_string()), "{message}");
        assert!(message.contains("--port-base"), "{message}");
        assert!(Ports::from_base(65_534).is_err());
    }

    #[test]
    fn free_ports_differ() {
        let Ports {
            app,
            sidecar,
            care,
            dependency,
        } = Ports::from_base(0).unwrap();
        let mut all = vec![app, sidecar, care, dependency];
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4);
    }
}
