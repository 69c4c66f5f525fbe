//! One container of the local pod: its process, when it started, and when it starts again.

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

/// A container: always one of running, waiting for its restart, or ended for good.
pub(super) struct Container {
    pub(super) role: Role,
    command: CommandLine,
    output: Output,
    backoff: Backoff,
    /// Restarts so far, as in `restartCount`.
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

/// What happened to a container.
pub(super) enum Happened {
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

    /// Start the process in a group of its own, so that what it starts is ended with it.
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
            .ok_or_else(|| io::Error::other("the process ended while it was started"))?;
        let pid = i32::try_from(id)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("the system gave a process id out of range"))?;
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(pass_on(self.role, self.output.clone(), stdout, false));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(pass_on(self.role, self.output.clone(), stderr, true));
        }
        self.state = State::Running {
            child,
            pid,
            since: Instant::now(),
        };
        Ok(id)
    }

    /// The next thing that happens to this container; never, when it is stopped. May be dropped
    /// and asked again without losing anything.
    pub(super) async fn next(&mut self) -> Happened {
        match &mut self.state {
            State::Running { child, pid, .. } => {
                let status = wait(child).await;
                Happened::Exited {
                    pid: pid.as_raw_nonzero().get().unsigned_abs(),
                    status,
                }
            }
            State::Waiting { until } => {
                sleep_until(*until).await;
                Happened::RestartDue
            }
            State::Stopped => std::future::pending().await,
        }
    }

    /// After an exit (or a failed start): how long until the restart, by the kubelet's rule.
    pub(super) fn back_off(&mut self) -> Duration {
        let ran = match &self.state {
            State::Running { since, pid, .. } => {
                end_group(*pid, Signal::KILL); // what it left behind, as with a container
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
            end_group(pid, signal);
        }
    }

    /// SIGTERM, SIGKILL after `grace`. The pid and status of the process, if one was running. May be
    /// dropped and called again with less grace.
    pub(super) async fn stop(&mut self, grace: Duration) -> Option<(u32, ExitStatus)> {
        let State::Running { child, pid, .. } = &mut self.state else {
            self.state = State::Stopped;
            return None;
        };
        let pid = *pid;
        if !grace.is_zero() {
            end_group(pid, Signal::TERM);
        }
        let status = match timeout(grace, wait(child)).await {
            Ok(status) => status,
            Err(_elapsed) => {
                end_group(pid, Signal::KILL);
                wait(child).await
            }
        };
        end_group(pid, Signal::KILL);
        self.state = State::Stopped;
        Some((pid.as_raw_nonzero().get().unsigned_abs(), status))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Waiting fails only when somebody else reaped our child: it is gone all the same.
async fn wait(child: &mut Child) -> ExitStatus {
    child
        .wait()
        .await
        .unwrap_or_else(|_| ExitStatus::from_raw(Signal::KILL.as_raw()))
}

/// A group that is gone already is what we want, so the result does not matter.
fn end_group(pid: Pid, signal: Signal) {
    let _ = kill_process_group(pid, signal);
}

/// The longest line that is passed on in one piece; a child may print without ever ending a line.
const LONGEST_LINE: u64 = 64 * 1024;

/// Pass the lines of a child's stream on until it closes.
async fn pass_on(role: Role, output: Output, stream: impl AsyncRead + Unpin, error: bool) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader)
            .take(LONGEST_LINE)
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
