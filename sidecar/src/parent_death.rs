//! Ends a child of the local pod together with the pod, even when the pod is killed by SIGKILL.
//!
//! The kernel does this with `PR_SET_PDEATHSIG`, but only for the process that requests it. Setting
//! it between fork and exec would need unsafe code, so each program requests it at its start.

use std::io;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal, test_kill_process};

/// Environment variable with the process id of the local pod, set for its children.
pub const POD_PID: &str = "HEALING_POD_PID";

/// Makes this child of a local pod end by SIGKILL when the pod ends. Does nothing elsewhere.
///
/// # Errors
///
/// When the pod has already ended (the caller should end too), or the kernel refuses.
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
            return Ok(()); // the parent was alive after the request: no gap
        }
    } else if test_kill_process(pod).is_ok() {
        return Ok(()); // a grandchild: its own parent is not the pod
    }
    Err(io::Error::other(
        "the pod that started this process has ended",
    ))
}
