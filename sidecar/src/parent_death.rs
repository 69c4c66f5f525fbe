//! Termination of a child of the local pod together with the pod, even if the pod is killed by SIGKILL.
//!
//! The kernel does this by `PR_SET_PDEATHSIG`, but only for the process that requests it. A request
//! between fork and exec would need unsafe code, so each program makes it when it starts.

use std::io;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal, test_kill_process};

/// Environment variable with the process id of the local pod, set for its children.
pub const POD_PID: &str = "HEALING_POD_PID";

/// Makes the kernel kill this child of a local pod when the pod exits. Does nothing elsewhere.
///
/// # Errors
///
/// Returns an error if the pod has already exited (the caller should exit too), or if the kernel
/// refuses.
pub fn die_with_pod() -> io::Result<()> {
    let Some(pod) = std::env::var(POD_PID)
        .ok()
        .and_then(|pid| pid.parse().ok())
        .and_then(Pid::from_raw)
    else {
        return Ok(());
    };
    if getppid() == Some(pod) {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        if getppid() == Some(pod) {
            return Ok(()); // the parent was alive after the request, so its exit cannot be missed
        }
    } else if test_kill_process(pod).is_ok() {
        return Ok(()); // a grandchild, whose own parent is not the pod
    }
    Err(io::Error::other(
        "the pod that started this process has exited",
    ))
}
