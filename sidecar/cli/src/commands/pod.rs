//! `healing pod -- CMD`: app and sidecar on this machine, as in a pod.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::fail;
use crate::pod::{CommandLine, LocalPod, PodEvent, PodSpec, Role, exec_with_pod};

/// "Command not found", as shells say it.
const NOT_FOUND: u8 = 127;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Shorten the back-off, for demonstrations: 0.01 waits 100 ms instead of 10 s.
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    time_scale: f64,
    /// The sidecar's program [default: healing-sidecar beside this one].
    #[arg(long, value_name = "PATH")]
    sidecar: Option<PathBuf>,
    /// Where the sidecar keeps its state and journal [default: a directory that ends with the pod].
    #[arg(long, env = "HEALING_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// How long the app has between SIGTERM and SIGKILL when the pod ends.
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

pub(super) fn exec(args: &ExecArgs) -> ExitCode {
    let Some((program, rest)) = args.command.split_first() else {
        return fail(2, "no command given");
    };
    let error = exec_with_pod(program, rest);
    fail(
        NOT_FOUND,
        format_args!("cannot start {}: {error}", program.display()),
    )
}

pub(super) fn run(args: Args) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, error),
    };
    match runtime.block_on(run_pod(args)) {
        Ok(code) => code,
        Err(error) => fail(1, error),
    }
}

async fn run_pod(args: Args) -> io::Result<ExitCode> {
    let own = std::env::current_exe()?;
    let sidecar = match args.sidecar {
        Some(path) => path,
        None => beside(&own)?,
    };
    let state = match args.state_dir {
        Some(dir) => StateDir::kept(dir)?,
        None => StateDir::passing()?,
    };
    let app = CommandLine::new(own)
        .arg("pod-exec")
        .arg("--")
        .args(args.command);
    let sidecar = CommandLine::new(sidecar).env("HEALING_STATE_DIR", state.path());
    let mut spec = PodSpec::new(app, sidecar);
    spec.time_scale = args.time_scale;

    // Signals are caught before the children exist: none is left behind by an early Ctrl-C.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let (pod, events) = LocalPod::start(spec)?;
    let code = tokio::select! {
        code = watch(events) => code,
        _ = interrupt.recv() => ExitCode::SUCCESS,
        _ = terminate.recv() => ExitCode::SUCCESS,
        _ = hangup.recv() => ExitCode::SUCCESS,
    };
    tokio::select! {
        () = pod.stop(args.grace) => {}
        _ = interrupt.recv() => {} // a second Ctrl-C: at once
        _ = terminate.recv() => {}
    }
    Ok(code)
}

/// Print what happens. Ends only where the app's command turns out not to exist.
async fn watch(mut events: mpsc::Receiver<PodEvent>) -> ExitCode {
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
                format!("{} (pid {pid}) was ended by signal {signal}", role.as_str())
            }
            (None, None) => format!("{} (pid {pid}) ended", role.as_str()),
        },
        PodEvent::BackOff { role, delay } if delay.is_zero() => {
            format!("{} restarts at once", role.as_str())
        }
        PodEvent::BackOff { role, delay } => format!(
            "{} restarts in {}",
            role.as_str(),
            humantime::format_duration(*delay)
        ),
        PodEvent::RestartAll => "the sidecar asks for a restart of the app".to_owned(),
    }
}

fn beside(own: &Path) -> io::Result<PathBuf> {
    let path = own.with_file_name("healing-sidecar");
    if path.is_file() {
        return Ok(path);
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        format!(
            "there is no {}: build or install both programs, or name it by --sidecar PATH",
            path.display()
        ),
    ))
}

/// A directory for the sidecar: kept, or, like an `emptyDir`, ending with the pod.
struct StateDir {
    path: PathBuf,
    passing: bool,
}

impl StateDir {
    fn kept(path: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&path).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!(
                    "cannot make the state directory {}: {error}",
                    path.display()
                ),
            )
        })?;
        Ok(Self {
            path,
            passing: false,
        })
    }

    fn passing() -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let path = std::env::temp_dir().join(format!("healing-pod-{}", std::process::id()));
        // `create` fails on what is there already: nobody can have laid a link in its way.
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self {
            path,
            passing: true,
        })
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for StateDir {
    fn drop(&mut self) {
        if self.passing {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
