//! Failure of a run.

use std::io;

use super::capacity::CapacityError;
use super::endpoints::FaultError;
use super::nginx::NotInstalled;
use crate::cgroup::CgroupError;
use crate::free_port::NoFreePort;
use crate::poll::WaitTimeout;
use crate::trials::settings::SettingsError;

/// Reason why a run has no result.
#[derive(Debug, thiserror::Error)]
pub(in crate::trials) enum RunError {
    /// This machine does not let the process set up a cgroup.
    #[error("this machine lacks what the case needs: {0}")]
    Cgroup(#[from] CgroupError),
    /// A program of the case is not installed.
    #[error("this machine lacks what the case needs: {0}")]
    NotInstalled(#[from] NotInstalled),
    /// A file or a process of the run cannot be used.
    #[error("the instrument failed: {0}")]
    Io(#[from] io::Error),
    /// A child process cannot be started.
    #[error("the instrument failed: {name} cannot start: {error}")]
    Start {
        /// Name of the child.
        name: &'static str,
        /// Error of the operating system.
        #[source]
        error: io::Error,
    },
    /// The listeners of the run get no ports.
    #[error("the instrument failed: {0}")]
    Ports(#[from] NoFreePort),
    /// A process did not become ready in time.
    #[error("the instrument failed: {0}")]
    Timeout(#[from] WaitTimeout),
    /// The settings file of the doctor cannot be made.
    #[error("the instrument failed: {0}")]
    Settings(#[from] SettingsError),
    /// The HTTP client of the testbed cannot be set up.
    #[error("the instrument failed: no HTTP client: {0}")]
    HttpClient(#[source] reqwest::Error),
    /// A fault was not injected.
    #[error("the instrument failed: {0}")]
    Fault(#[from] FaultError),
    /// The capacity was not measured.
    #[error("the instrument failed: {0}")]
    Capacity(#[from] CapacityError),
    /// A case sets the quota of an app that has no CPU cgroup.
    #[error("the instrument failed: the app has no CPU group")]
    NoCpuGroup,
    /// A case sends a signal to a process that has not started.
    #[error("the instrument failed: there is no such process")]
    NoProcess,
    /// The load generator itself failed, for example for lack of descriptors.
    #[error("the instrument failed: the generator could not send {0} requests")]
    Generator(u64),
}

impl RunError {
    /// Returns `true` if the instrument failed, and `false` if the machine lacks something that the case
    /// needs. In the second case the run counts as wrong.
    pub(in crate::trials) fn is_of_instrument(&self) -> bool {
        !matches!(self, Self::Cgroup(_) | Self::NotInstalled(_))
    }
}
