//! Subprocesses of the demo: it executes its own binary again as app, dependency and sidecar.

use std::env::VarError;
use std::ffi::OsString;
use std::io;
use std::net::{AddrParseError, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use healing_cli::pod::CommandLine;
use healing_core::config::PolicyConfig;
use healing_sidecar::parent_death::die_with_pod;
use patient_app::{RunError, Settings};
use tracing_subscriber::EnvFilter;

use super::ports::Ports;

/// Environment variable that selects the subprocess. It is unset in the process that the user starts.
const SUBPROCESS: &str = "HEALING_DEMO_SUBPROCESS";
/// Name of the sidecar's state directory, within the demo's directory.
pub(super) const STATE: &str = "sidecar-state";

/// Subprocess of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subprocess {
    App,
    Dependency,
    Sidecar,
}

impl Subprocess {
    const ALL: [Self; 3] = [Self::App, Self::Dependency, Self::Sidecar];

    fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Dependency => "dependency",
            Self::Sidecar => "sidecar",
        }
    }
}

/// Failure of the app or of the dependency.
#[derive(Debug, thiserror::Error)]
enum SubprocessError {
    /// `PORT` is unset or not Unicode.
    #[error("PORT: {0}")]
    NoAddress(#[source] VarError),
    /// `PORT` is not an address with a port.
    #[error("PORT={0}: {1}; give ADDR:PORT, such as 127.0.0.1:5000")]
    Address(String, #[source] AddrParseError),
    /// The app failed.
    #[error(transparent)]
    App(#[from] RunError),
    /// The dependency failed.
    #[error(transparent)]
    Dependency(io::Error),
}

/// Returns the command line of a subprocess. All settings are environment variables, as in a pod.
pub(super) fn command(
    program: &Path,
    subprocess: Subprocess,
    ports: &Ports,
    directory: &Path,
) -> CommandLine {
    let address = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string();
    let url = |port: u16| format!("http://{}", address(port));
    let environment: Vec<(&str, OsString)> = match subprocess {
        Subprocess::App => vec![
            ("PORT", address(ports.app).into()),
            ("HEALING_CARE_BIND", address(ports.care).into()),
            ("PATIENT_DEPENDENCY", address(ports.dependency).into()),
        ],
        Subprocess::Dependency => vec![("PORT", address(ports.dependency).into())],
        Subprocess::Sidecar => vec![
            ("HEALING_PROFILE", "demo".into()),
            ("HEALING_MODE", "enforce".into()),
            ("HEALING_APP_URL", url(ports.app).into()),
            ("HEALING_CARE_URL", url(ports.care).into()),
            ("HEALING_BIND", address(ports.sidecar).into()),
            ("HEALING_STATE_DIR", directory.join(STATE).into()),
            ("HEALING_LOG_FORMAT", "text".into()),
        ],
    };
    let mut command = CommandLine::new(program).env(SUBPROCESS, subprocess.name());
    // Settings in the user's shell must not apply to the demo's subprocesses. An empty variable counts as unset.
    for (key, _) in std::env::vars_os() {
        if key.to_str().is_some_and(|key| key.starts_with("HEALING_")) {
            command = command.env(key, "");
        }
    }
    environment
        .into_iter()
        .fold(command, |command, (key, value)| command.env(key, value))
}

/// Runs the subprocess that the variable `SUBPROCESS` names, to its end. Returns `None` if it is not set.
#[must_use]
pub fn run_subprocess() -> Option<ExitCode> {
    let name = std::env::var(SUBPROCESS).ok()?;
    let Some(subprocess) = Subprocess::ALL
        .into_iter()
        .find(|subprocess| subprocess.name() == name)
    else {
        eprintln!(
            "{SUBPROCESS}={name} is unknown; leave it unset (known: app, dependency, sidecar)"
        );
        return Some(ExitCode::from(2));
    };
    if let Err(error) = die_with_pod() {
        eprintln!("{name}: {error}");
        return Some(ExitCode::FAILURE);
    }
    if subprocess == Subprocess::Sidecar {
        return Some(healing_sidecar::sidecar::main());
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{name}: cannot start the async runtime: {error}");
            return Some(ExitCode::FAILURE);
        }
    };
    Some(runtime.block_on(serve(subprocess)))
}

async fn serve(subprocess: Subprocess) -> ExitCode {
    log_to_stderr();
    match try_serve(subprocess).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn try_serve(subprocess: Subprocess) -> Result<(), SubprocessError> {
    let bind = address()?;
    if subprocess == Subprocess::Dependency {
        return patient_app::dependency::run(bind)
            .await
            .map_err(SubprocessError::Dependency);
    }
    let settings = Settings {
        bind,
        dependency: std::env::var("PATIENT_DEPENDENCY").ok(),
        stall_after: Some(PolicyConfig::demo().evidence.hang_timeout),
        ..Settings::default()
    };
    Ok(patient_app::run(settings).await?)
}

fn address() -> Result<SocketAddr, SubprocessError> {
    let port = std::env::var("PORT").map_err(SubprocessError::NoAddress)?;
    port.parse()
        .map_err(|error| SubprocessError::Address(port, error))
}

fn log_to_stderr() {
    // One line per failed request would push the lines that explain a failure out of the buffer.
    let default = || EnvFilter::new("info,tower_http=off");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| default());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
}
