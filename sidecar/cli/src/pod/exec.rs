//! Replacement of this process by the app of a local pod.
//!
//! An app need not call [`die_with_pod`]. `healing pod` therefore starts itself as `healing pod-exec`,
//! which calls it and then executes the app. The request persists across exec.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use healing_sidecar::parent_death::{POD_PID, die_with_pod};

/// Ties this process to the pod and replaces it by `program`. Returns only on failure.
#[must_use]
pub fn exec_with_pod(program: &OsString, args: &[OsString]) -> io::Error {
    if let Err(error) = die_with_pod() {
        return error;
    }
    Command::new(program).args(args).env_remove(POD_PID).exec()
}
