//! Child processes that end with this process on every path, SIGKILL included.

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use healing_sidecar::parent_death::POD_PID;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child as Process, Command};

use super::Failed;
use super::log::Log;

/// First argument of this binary that makes it the guard of a child.
pub(in crate::trials) const GUARD: &str = "--guarded-child";

/// A child; dropping it kills it.
#[derive(Debug)]
pub(super) struct Child {
    name: &'static str,
    process: Process,
}

/// Program, arguments and environment of a child.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    pub(super) name: &'static str,
    pub(super) program: &'a Path,
    pub(super) args: Vec<OsString>,
    pub(super) env: Vec<(&'static str, OsString)>,
}

impl Child {
    /// Starts a program through the guard, which asks the kernel to end it with this process.
    pub(super) fn start(guard: &Path, line: Line<'_>, log: &Log) -> Result<Self, Failed> {
        let mut command = Command::new(guard);
        // Settings of the user's own sidecar are not those of this one.
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
            .map_err(|error| Failed::Instrument(format!("{} cannot start: {error}", line.name)))?;
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

    /// Ends the child in order, and kills it when it does not end in time.
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

/// Sends a signal; a process that is gone is ignored.
pub(super) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid).filter(|_| pid > 1) {
        let _ = kill_process(pid, signal);
    }
}
