//! Exit codes of a process that the care thread ends.

/// `restart_service` was accepted. Not 0, which would complete a Kubernetes Job.
pub(crate) const CONDEMNED: i32 = 75;

/// SIGTERM came and the app did not shut down by itself: 128 + 15, as shells and the kubelet report it.
pub(crate) const TERMINATED: i32 = 143;
