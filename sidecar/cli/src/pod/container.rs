//! Container of the local pod, with its process, its restarts and its back-off.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use healing_sidecar::parent_death::POD_PID;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until, timeout};

use super::backoff::Backoff;
use super::{CommandLine, Output, Role};

/// Container that is running, waiting for its restart, or stopped.
pub(super) struct Container {
    pub(super) role: Role,
    command: CommandLine,
    output: Output,
    backoff: Backoff,
    /// Restarts so far, as in Kubernetes' `restartCount`.
    pub(super) restarts: u32,
    state: State,
}

enum State {
    Running {
        child: Child,
        pid: Pid,
        since: Instant,
    },
    Waiting {
        until: Instant,
    },
    Stopped,
}

/// Event of a container's child process.
pub(super) enum ChildEvent {
    Exited { pid: u32, status: ExitStatus },
    RestartDue,
}

impl Container {
    pub(super) fn new(role: Role, command: CommandLine, output: Output, scale: f64) -> Self {
        Self {
            role,
            command,
            output,
            backoff: Backoff::new(scale),
            restarts: 0,
            state: State::Stopped,
        }
    }

    pub(super) fn pid(&self) -> Option<Pid> {
        match &self.state {
            State::Running { pid, .. } => Some(*pid),
            State::Waiting { .. } | State::Stopped => None,
        }
    }

    /// Starts the process in its own process group, so that its descendants can be killed with it.
    pub(super) fn start(&mut self) -> io::Result<u32> {
        let mut child = Command::new(&self.command.program)
            .args(&self.command.args)
            .envs(self.command.env.iter().map(|(k, v)| (k, v)))
            .env(POD_PID, std::process::id().to_string())
            .stdin(Stdio::null())
            .stdout(self.output.stdio())
            .stderr(self.output.stdio())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let id = child
            .id()
            .ok_or_else(|| io::Error::other("the process exited during its start"))?;
        let pid = i32::try_from(id)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("the process id is out of range"))?;
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(forward_lines(self.role, self.output.clone(), stdout, false));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(forward_lines(self.role, self.output.clone(), stderr, true));
        }
        self.state = State::Running {
            child,
            pid,
            since: Instant::now(),
        };
        Ok(id)
    }

    /// Waits for the next event, forever if the container is stopped. Cancel safe.
    pub(super) async fn next_event(&mut self) -> ChildEvent {
        match &mut self.state {
            State::Running { child, pid, .. } => {
                let status = wait(child).await;
                ChildEvent::Exited {
                    pid: pid.as_raw_nonzero().get().unsigned_abs(),
                    status,
                }
            }
            State::Waiting { until } => {
                sleep_until(*until).await;
                ChildEvent::RestartDue
            }
            State::Stopped => std::future::pending().await,
        }
    }

    /// Begins the back-off after an exit or a failed start, and returns its delay.
    pub(super) fn back_off(&mut self) -> Duration {
        let ran = match &self.state {
            State::Running { since, pid, .. } => {
                signal_group(*pid, Signal::KILL); // kills descendants that are still running
                since.elapsed()
            }
            State::Waiting { .. } | State::Stopped => Duration::ZERO,
        };
        let delay = self.backoff.after_exit(ran);
        self.state = State::Waiting {
            until: Instant::now() + delay,
        };
        delay
    }

    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            signal_group(pid, signal);
        }
    }

    /// Sends SIGTERM, and SIGKILL after `grace`. Returns process id and exit status if a process was
    /// running. Cancel safe, so it can be called again with a shorter grace.
    pub(super) async fn stop(&mut self, grace: Duration) -> Option<(u32, ExitStatus)> {
        let State::Running { child, pid, .. } = &mut self.state else {
            self.state = State::Stopped;
            return None;
        };
        let pid = *pid;
        if !grace.is_zero() {
            signal_group(pid, Signal::TERM);
        }
        let status = match timeout(grace, wait(child)).await {
            Ok(status) => status,
            Err(_elapsed) => {
                signal_group(pid, Signal::KILL);
                wait(child).await
            }
        };
        signal_group(pid, Signal::KILL);
        self.state = State::Stopped;
        Some((pid.as_raw_nonzero().get().unsigned_abs(), status))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Waits for the exit. An error means that the child was reaped elsewhere, so it has exited too.
async fn wait(child: &mut Child) -> ExitStatus {
    child
        .wait()
        .await
        .unwrap_or_else(|_| ExitStatus::from_raw(Signal::KILL.as_raw()))
}

/// Signals a process group. The only possible error is that no process of the group is left.
fn signal_group(pid: Pid, signal: Signal) {
    let _ = kill_process_group(pid, signal);
}

/// Maximum length of a forwarded line, in bytes. A longer line is split, because a child may never
/// write a line break.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// Forwards the lines of a child's stream until it closes.
async fn forward_lines(role: Role, output: Output, stream: impl AsyncRead + Unpin, error: bool) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut line)
            .await
        {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                output.line(role, text.trim_end_matches(['\n', '\r']), error);
            }
        }
    }
}
