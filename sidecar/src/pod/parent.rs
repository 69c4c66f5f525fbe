//! Children that end with the pod, even when the pod is killed with SIGKILL.
//!
//! The kernel can do it (`PR_SET_PDEATHSIG`), but only for the process that asks. Setting it
//! between fork and exec would need unsafe code; so our own binaries ask at their start
//! ([`die_with_pod`]), and for a foreign app `healing pod` starts itself first, asks, and then
//! becomes the app by exec, which keeps the setting ([`become_program`]).

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal, test_kill_process};

/// Environment variable by which the local pod tells its children its process id.
pub const POD_PID: &str = "HEALING_POD_PID";

/// In a child of a local pod: end by SIGKILL when the pod does. Elsewhere it does nothing.
///
/// # Errors
///
/// When the pod is gone already (the caller should end), or the kernel refuses.
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
            return Ok(()); // the setting was made while the parent lived: no gap
        }
    } else if test_kill_process(pod).is_ok() {
        return Ok(()); // a grandchild: its own parent is not the pod
    }
    Err(io::Error::other(
        "the pod that started this process is gone",
    ))
}

/// Ask to end with the pod, then become `program`. Returns only on failure.
#[must_use]
pub fn become_program(program: &OsString, args: &[OsString]) -> io::Error {
    if let Err(error) = die_with_pod() {
        return error;
    }
    Command::new(program).args(args).env_remove(POD_PID).exec()
}
