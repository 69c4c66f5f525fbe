//! Which ports the demo uses.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

/// Below the range from which the kernel takes the ports of outgoing connections (32768 and up): a
/// client's own port must not sit where the app is about to listen again, nor a client connect to
/// itself while it does not.
const FREE: Range<u16> = 20_000..32_000;

/// One port for each listener, all on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// The patient's own port.
    pub app: u16,
    /// The sidecar's `/healthz` and `/metrics`.
    pub sidecar: u16,
    /// The patient's care port.
    pub care: u16,
    /// The process that the patient depends on.
    pub dependency: u16,
}

impl Ports {
    /// App, sidecar and care from `base` on; with 0, and for the dependency, free ones are taken.
    ///
    /// # Errors
    /// A port is taken, or `base` leaves no room for three.
    pub fn from_base(base: u16) -> Result<Self, String> {
        let mut free = candidates().filter(|port| is_free(*port));
        let mut next = || {
            free.next()
                .ok_or_else(|| format!("no free port in {FREE:?}"))
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
        for (port, whose) in [
            (base, "the app"),
            (base + 1, "the sidecar"),
            (care, "the care port"),
        ] {
            if !is_free(port) {
                return Err(format!(
                    "port {port} (for {whose}) is taken by another process: choose others by \
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

/// All of [`FREE`], from a place that differs between processes, so that two demos do not race for
/// the same ones.
fn candidates() -> impl Iterator<Item = u16> {
    let places = u32::from(FREE.end - FREE.start);
    let first = std::process::id().wrapping_mul(4).rem_euclid(places);
    (0..places)
        .filter_map(move |n| u16::try_from((first + n) % places).ok())
        .map(|n| FREE.start + n)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_is_named_with_the_way_out() {
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
