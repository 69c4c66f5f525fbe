//! `healing pod -- CMD`: app and sidecar on this machine, as in a pod.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::block_on;
use super::error::{CommandError, NOT_FOUND};
use crate::pod::{CommandLine, LocalPod, PodEvent, PodSpec, Role, exec_with_pod};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Factor on the back-off, for demonstrations. For example, 0.01 waits 100 ms in place of 10 s.
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    time_scale: f64,
    /// Program of the sidecar [default: healing-sidecar in the directory of this program].
    #[arg(long, value_name = "PATH")]
    sidecar: Option<PathBuf>,
    /// Directory of the sidecar's state and journal [default: a directory that is removed with the
    /// pod].
    #[arg(long, env = "HEALING_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Time between SIGTERM and SIGKILL when the pod stops.
    #[arg(long, default_value = "30s", value_parser = humantime::parse_duration)]
    grace: Duration,
    /// The app and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ExecArgs {
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

pub(super) fn exec(args: &ExecArgs) -> Result<ExitCode, CommandError> {
    let (program, rest) = args.command.split_first().ok_or(CommandError::NoCommand)?;
    let error = exec_with_pod(program, rest);
    Err(CommandError::CannotStart(program.into(), error))
}

pub(super) fn run(args: Args) -> Result<ExitCode, CommandError> {
    block_on(run_pod(args))?
}

async fn run_pod(args: Args) -> Result<ExitCode, CommandError> {
    let own = std::env::current_exe()?;
    let sidecar = match args.sidecar {
        Some(path) => path,
        None => sidecar_next_to(&own)?,
    };
    let state = match args.state_dir {
        Some(dir) => StateDir::persistent(dir)?,
        None => StateDir::ephemeral()?,
    };
    let app = CommandLine::new(own)
        .arg("pod-exec")
        .arg("--")
        .args(args.command);
    let sidecar = CommandLine::new(sidecar).env("HEALING_STATE_DIR", state.path());
    let mut spec = PodSpec::new(app, sidecar);
    spec.time_scale = args.time_scale;

    // Handlers are installed before the children start, so that an early Ctrl-C stops them too.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let (pod, events) = LocalPod::start(spec)?;
    let code = tokio::select! {
        code = report(events) => code,
        _ = interrupt.recv() => ExitCode::SUCCESS,
        _ = terminate.recv() => ExitCode::SUCCESS,
        _ = hangup.recv() => ExitCode::SUCCESS,
    };
    tokio::select! {
        () = pod.stop(args.grace) => {}
        _ = interrupt.recv() => {} // a second Ctrl-C kills the pod immediately
        _ = terminate.recv() => {}
    }
    Ok(code)
}

/// Prints the events. Returns only if a program cannot be started.
async fn report(mut events: mpsc::Receiver<PodEvent>) -> ExitCode {
    while let Some(event) = events.recv().await {
        let _ = writeln!(io::stderr(), "pod     | {}", describe(&event));
        match event {
            PodEvent::Exited {
                role: Role::App,
                code: Some(code),
                ..
            } if code == i32::from(NOT_FOUND) => return ExitCode::from(NOT_FOUND),
            PodEvent::StartFailed {
                role: Role::Sidecar,
                ..
            } => return ExitCode::from(NOT_FOUND),
            _ => {}
        }
    }
    ExitCode::SUCCESS
}

fn describe(event: &PodEvent) -> String {
    match event {
        PodEvent::Started {
            role,
            pid,
            restarts,
        } => format!("{} started: pid {pid}, restarts {restarts}", role.as_str()),
        PodEvent::StartFailed { role, error } => {
            format!("{} cannot be started: {error}", role.as_str())
        }
        PodEvent::Exited {
            role,
            pid,
            code,
            signal,
        } => match (code, signal) {
            (Some(code), _) => format!("{} (pid {pid}) exited with {code}", role.as_str()),
            (None, Some(signal)) => {
                format!(
                    "{} (pid {pid}) was terminated by signal {signal}",
                    role.as_str()
                )
            }
            (None, None) => format!("{} (pid {pid}) exited", role.as_str()),
        },
        PodEvent::BackOff { role, delay } if delay.is_zero() => {
            format!("{} restarts immediately", role.as_str())
        }
        PodEvent::BackOff { role, delay } => format!(
            "{} restarts in {}",
            role.as_str(),
            humantime::format_duration(*delay)
        ),
        PodEvent::RestartAll => "the sidecar requests a restart of the app".to_owned(),
    }
}

/// Returns the path of `healing-sidecar` in the directory of this program.
fn sidecar_next_to(own: &Path) -> Result<PathBuf, CommandError> {
    let path = own.with_file_name("healing-sidecar");
    if path.is_file() {
        Ok(path)
    } else {
        Err(CommandError::NoSidecar(path))
    }
}

/// State directory of the sidecar.
struct StateDir {
    path: PathBuf,
    ephemeral: bool,
}

impl StateDir {
    /// Uses a directory that is kept when the pod stops.
    fn persistent(path: PathBuf) -> Result<Self, CommandError> {
        std::fs::create_dir_all(&path)
            .map_err(|error| CommandError::StateDir(path.clone(), error))?;
        Ok(Self {
            path,
            ephemeral: false,
        })
    }

    /// Creates a directory that is removed with the pod, like an `emptyDir`.
    fn ephemeral() -> Result<Self, CommandError> {
        use std::os::unix::fs::DirBuilderExt;
        let path = std::env::temp_dir().join(format!("healing-pod-{}", std::process::id()));
        // `create` fails if the path exists, so a link of another user cannot redirect the state.
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| CommandError::StateDir(path.clone(), error))?;
        Ok(Self {
            path,
            ephemeral: true,
        })
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for StateDir {
    fn drop(&mut self) {
        if self.ephemeral {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
