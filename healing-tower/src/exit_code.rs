//! Exit codes with which healing exits the process.

/// Exit code after an accepted `restart_service`. It is not 0, which would complete a Kubernetes Job.
pub(crate) const CONDEMNED: i32 = 75;

/// Exit code after SIGTERM if the app did not exit in time: 128 + 15, as shells and the kubelet report it.
pub(crate) const TERMINATED: i32 = 143;
