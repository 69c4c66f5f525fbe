//! Signals to processes that this process has started.

use rustix::process::{Pid, Signal, kill_process};

/// Sends a signal to a process. Does nothing if it has exited.
pub(crate) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid).filter(|_| pid > 1) {
        let _ = kill_process(pid, signal);
    }
}
