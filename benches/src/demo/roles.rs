//! One binary, four parts: the demo starts itself anew as app, dependency and sidecar.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use healing_cli::pod::CommandLine;
use healing_core::config::PolicyConfig;
use healing_sidecar::parent_death::die_with_pod;
use patient_app::Settings;
use tracing_subscriber::EnvFilter;

use super::ports::Ports;

/// Says which part a process plays; unset in the process that the user starts.
const PART: &str = "HEALING_DEMO_PART";
/// The sidecar's state directory, within the demo's own.
pub(super) const STATE: &str = "sidecar-state";

/// A part played by a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    App,
    Dependency,
    Sidecar,
}

impl Part {
    const ALL: [Self; 3] = [Self::App, Self::Dependency, Self::Sidecar];

    fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Dependency => "dependency",
            Self::Sidecar => "sidecar",
        }
    }
}

/// How the demo's binary is started to play `part`. Everything is told by environment, as in a pod.
pub(super) fn command(program: &Path, part: Part, ports: &Ports, directory: &Path) -> CommandLine {
    let at = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string();
    let url = |port: u16| format!("http://{}", at(port));
    let environment: Vec<(&str, OsString)> = match part {
        Part::App => vec![
            ("PORT", at(ports.app).into()),
            ("HEALING_CARE_BIND", at(ports.care).into()),
            ("PATIENT_DEPENDENCY", at(ports.dependency).into()),
        ],
        Part::Dependency => vec![("PORT", at(ports.dependency).into())],
        Part::Sidecar => vec![
            ("HEALING_PROFILE", "demo".into()),
            ("HEALING_MODE", "enforce".into()),
            ("HEALING_APP_URL", url(ports.app).into()),
            ("HEALING_CARE_URL", url(ports.care).into()),
            ("HEALING_BIND", at(ports.sidecar).into()),
            ("HEALING_STATE_DIR", directory.join(STATE).into()),
            ("HEALING_LOG_FORMAT", "text".into()),
        ],
    };
    let mut command = CommandLine::new(program).env(PART, part.name());
    // What the user's own shell sets for a sidecar of theirs is not this one's. Empty is unset.
    for (key, _) in std::env::vars_os() {
        if key.to_str().is_some_and(|key| key.starts_with("HEALING_")) {
            command = command.env(key, "");
        }
    }
    environment
        .into_iter()
        .fold(command, |command, (key, value)| command.env(key, value))
}

/// Plays the part that the environment names, to its end; nothing where it names none.
#[must_use]
pub fn play() -> Option<ExitCode> {
    let name = std::env::var(PART).ok()?;
    let Some(part) = Part::ALL.into_iter().find(|part| part.name() == name) else {
        eprintln!("{PART}={name}: known are app, dependency and sidecar; leave it unset");
        return Some(ExitCode::from(2));
    };
    if let Err(error) = die_with_pod() {
        eprintln!("{name}: {error}");
        return Some(ExitCode::FAILURE);
    }
    if part == Part::Sidecar {
        return Some(healing_sidecar::sidecar::main());
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{name}: no runtime: {error}");
            return Some(ExitCode::FAILURE);
        }
    };
    Some(runtime.block_on(perform(part)))
}

async fn perform(part: Part) -> ExitCode {
    log_to_stderr();
    let result = match address() {
        Err(error) => Err(error),
        Ok(bind) if part == Part::App => {
            let settings = Settings {
                bind,
                dependency: std::env::var("PATIENT_DEPENDENCY").ok(),
                stall_after: Some(PolicyConfig::demo().evidence.hang_timeout),
                ..Settings::default()
            };
            patient_app::run(settings)
                .await
                .map_err(|error| error.to_string())
        }
        Ok(bind) => patient_app::dependency::run(bind)
            .await
            .map_err(|error| error.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            tracing::error!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn address() -> Result<SocketAddr, String> {
    let port = std::env::var("PORT").map_err(|error| format!("PORT: {error}"))?;
    port.parse()
        .map_err(|error| format!("PORT={port}: {error}"))
}

fn log_to_stderr() {
    // A line for each failed request would leave no room for what explains them.
    let quiet = || EnvFilter::new("info,tower_http=off");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| quiet());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
}
