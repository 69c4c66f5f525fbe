//! Ports of the demo.

use crate::free_port::{self, NoFreePort, is_free};

/// One port per listener, all on 127.0.0.1.
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

/// Reason why the ports cannot be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// Every port of the range for free ones is taken.
    #[error(transparent)]
    NoneFree(#[from] NoFreePort),
    /// The base is too close to the highest port.
    #[error("--port-base {0} leaves no room for three ports: at most 65533")]
    NoRoom(u16),
    /// A port is taken by another process.
    #[error(
        "port {port} (for {owner}) is taken by another process: choose others by --port-base N \
         (N, N+1 and N+2 are used), or free ones by --port-base 0"
    )]
    Taken {
        /// The port.
        port: u16,
        /// Part of the demo that would listen on it.
        owner: &'static str,
    },
}

impl Ports {
    /// Returns app, sidecar and care port from `base` on, and a free port for the dependency. If `base` is
    /// 0, all are free ports.
    ///
    /// # Errors
    ///
    /// Returns an error if a port is taken, or `base` leaves no room for three.
    pub fn from_base(base: u16) -> Result<Self, PortError> {
        if base == 0 {
            return Ok(Self {
                app: free_port::next()?,
                sidecar: free_port::next()?,
                care: free_port::next()?,
                dependency: free_port::next()?,
            });
        }
        let Some(care) = base.checked_add(2) else {
            return Err(PortError::NoRoom(base));
        };
        for (port, owner) in [
            (base, "the app"),
            (base + 1, "the sidecar"),
            (care, "the care port"),
        ] {
            if !is_free(port) {
                return Err(PortError::Taken { port, owner });
            }
        }
        let dependency = free_port::next()?;
        Ok(Self {
            app: base,
            sidecar: base + 1,
            care,
            dependency,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn busy_port_error_names_the_port_and_the_flag() {
        let ports = Ports::from_base(0).unwrap();
        let _busy = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.app)).unwrap();
        let error = Ports::from_base(ports.app).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "port {} (for the app) is taken by another process: choose others by --port-base N \
                 (N, N+1 and N+2 are used), or free ones by --port-base 0",
                ports.app
            )
        );
    }

    #[test]
    fn base_above_65533_is_rejected_with_the_highest_base() {
        assert_eq!(
            Ports::from_base(65_534).unwrap_err().to_string(),
            "--port-base 65534 leaves no room for three ports: at most 65533"
        );
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
