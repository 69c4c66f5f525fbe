//! Ports of a run, all on 127.0.0.1.

use crate::free_port::{self, NoFreePort};

/// Ports of one pod.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    /// The app's own port.
    pub(super) app: u16,
    /// The app's care port.
    pub(super) care: u16,
    /// Port of the app that takes faults.
    pub(super) control: u16,
    /// Port of the sidecar's `/status`.
    pub(super) sidecar: u16,
    /// Port of the nginx in front of the app.
    pub(super) nginx: u16,
}

impl Ports {
    /// Chooses ports on which no process listens.
    ///
    /// # Errors
    ///
    /// Returns an error if there are not enough free ports.
    pub(super) fn free() -> Result<Self, NoFreePort> {
        Ok(Self {
            app: free_port::next()?,
            care: free_port::next()?,
            control: free_port::next()?,
            sidecar: free_port::next()?,
            nginx: free_port::next()?,
        })
    }
}
