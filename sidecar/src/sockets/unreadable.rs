//! Reasons for which the sockets of the app's port cannot be read.

use rustix::io::Errno;

/// Reason for which the sockets of the app's port cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The app is not on the loopback interface, so its sockets are in another network namespace.
    #[error(
        "the app's address is not a loopback address; set app_url to http://127.0.0.1:PORT if the app shares the network namespace"
    )]
    NotLoopback,
    /// No socket in this network namespace listens on the app's port, and yet the connection of the probe
    /// was not refused.
    #[error(
        "no socket listens on port {0} in this network namespace; app and sidecar must share it, as the containers of a pod do"
    )]
    NoListener(u16),
    /// The kernel has no socket monitoring for TCP.
    #[error("the kernel has no socket monitoring (NETLINK_SOCK_DIAG with inet_diag): {0}")]
    Unsupported(Errno),
    /// The process may not use netlink, for example because of a seccomp profile.
    #[error("netlink is forbidden; allow AF_NETLINK sockets in the seccomp profile: {0}")]
    Forbidden(Errno),
    /// The kernel's response was not complete in time, or a read failed for another reason.
    #[error("reading the sockets by netlink failed: {0}")]
    Failed(Errno),
}

impl From<Errno> for Unreadable {
    fn from(error: Errno) -> Self {
        match error {
            Errno::PERM | Errno::ACCESS => Self::Forbidden(error),
            Errno::AFNOSUPPORT
            | Errno::PROTONOSUPPORT
            | Errno::OPNOTSUPP
            | Errno::NOSYS
            | Errno::NOENT
            | Errno::INVAL => Self::Unsupported(error),
            _ => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_kernel_are_told_apart() {
        for (error, expected) in [
            (Errno::PERM, Unreadable::Forbidden(Errno::PERM)),
            (Errno::NOENT, Unreadable::Unsupported(Errno::NOENT)),
            (Errno::NOBUFS, Unreadable::Failed(Errno::NOBUFS)),
        ] {
            assert_eq!(Unreadable::from(error), expected);
        }
    }
}
