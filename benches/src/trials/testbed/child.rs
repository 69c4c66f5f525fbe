//! Child processes that the kernel kills when this process exits, even by SIGKILL.

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use healing_sidecar::parent_death::POD_PID;
use rustix::process::Signal;
use tokio::process::{Child as Process, Command};

use super::RunError;
use super::log::Log;
use crate::signal::signal;

/// First argument that makes this binary the guard of a child.
pub(in crate::trials) const GUARD: &str = "--guarded-child";

/// A child; dropping it kills it.
#[derive(Debug)]
pub(super) struct Child {
    name: &'static str,
    process: Process,
}

/// Program, arguments and environment of a child.
#[derive(Debug, Clone)]
pub(super) struct CommandLine<'a> {
    pub(super) name: &'static str,
    pub(super) program: &'a Path,
    pub(super) args: Vec<OsString>,
    pub(super) env: Vec<(&'static str, OsString)>,
}

impl Child {
    /// Starts a program through the guard, which makes the kernel kill it when this process exits.
    pub(super) fn start(guard: &Path, line: CommandLine<'_>, log: &Log) -> Result<Self, RunError> {
        let mut command = Command::new(guard);
        // Settings in the user's shell must not apply to the sidecar under test.
        for (key, _) in std::env::vars_os() {
            if key.to_str().is_some_and(|key| key.starts_with("HEALING_")) {
                command.env_remove(key);
            }
        }
        let mut process = command
            .arg(GUARD)
            .arg(line.program)
            .args(line.args)
            .envs(line.env)
            .env(POD_PID, std::process::id().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| RunError::Start {
                name: line.name,
                error,
            })?;
        if let Some(stdout) = process.stdout.take() {
            tokio::spawn(log.clone().follow(stdout));
        }
        if let Some(stderr) = process.stderr.take() {
            tokio::spawn(log.clone().follow(stderr));
        }
        Ok(Self {
            name: line.name,
            process,
        })
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn pid(&self) -> Option<i32> {
        i32::try_from(self.process.id()?).ok()
    }

    pub(super) async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// Stops the child by SIGTERM, and kills it if it does not exit in time.
    pub(super) async fn stop(&mut self, grace: Duration) {
        if let Some(pid) = self.pid() {
            signal(pid, Signal::TERM);
        }
        if tokio::time::timeout(grace, self.process.wait())
            .await
            .is_err()
        {
            let _ = self.process.kill().await;
        }
    }
}

/// Sends a signal to a process that a case has looked up.
///
/// # Errors
///
/// Returns an error if the process has not started.
pub(in crate::trials) fn signal_process(pid: Option<i32>, which: Signal) -> Result<(), RunError> {
    signal(pid.ok_or(RunError::NoProcess)?, which);
    Ok(())
}
