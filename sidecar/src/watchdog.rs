//! Thread that re-executes the program in place when the control loop is blocked.
//!
//! An exit of the sidecar would take its pod out of the Service for the kubelet's back-off, and exit
//! 88 would restart a healthy app. Re-execution keeps the process id, and the state is restored from
//! the state file.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use crate::heartbeat::Heartbeat;

/// Environment variable that counts the re-executions.
const RE_EXECUTIONS: &str = "HEALING_WATCHDOG_RESTARTS";

/// Returns the number of times that the watchdog re-executed this process.
pub(crate) fn re_executions() -> u64 {
    std::env::var(RE_EXECUTIONS)
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(0)
}

/// Starts the watchdog thread, which exits when the last owner of the heartbeat is dropped. `timeout`
/// must be longer than any wait of the loop.
///
/// The thread logs nothing, because a blocked log output may be what blocks the loop.
pub(crate) fn start(heartbeat: &Heartbeat, timeout: Duration) -> std::io::Result<()> {
    let heartbeat = heartbeat.downgrade();
    std::thread::Builder::new()
        .name("watchdog".into())
        .spawn(move || {
            loop {
                std::thread::sleep(timeout / 4);
                let Some(heartbeat) = heartbeat.upgrade() else {
                    return;
                };
                if heartbeat.age() > timeout {
                    // Returns only on failure; the next round tries again.
                    let _error = re_execute();
                }
            }
        })
        .map(|_handle| ())
}

/// Replaces this process by a new execution of its own program. Returns only on failure.
fn re_execute() -> std::io::Error {
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_else(|| "healing-sidecar".into());
    // The link works even after the file was replaced.
    Command::new("/proc/self/exe")
        .arg0(name)
        .args(args)
        .env(RE_EXECUTIONS, (re_executions() + 1).to_string())
        .exec()
}
