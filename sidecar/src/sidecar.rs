//! The program `healing-sidecar`: sets up settings, logs and signals, and runs the doctor.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Command, CommandFactory, FromArgMatches, Parser};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{self, ConfigError, Flags, Loaded, Origin, Process, SettingsArgs};
use crate::{doctor, logging, parent_death};

/// Doctor of an app: polls the app, heals it, and exits 88 if only a restart helps.
#[derive(Debug, Parser)]
#[command(name = "healing-sidecar", version, about)]
struct Cli {
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Runs the sidecar until SIGTERM (exit 0) or a hard heal (exit 88).
#[must_use]
pub fn main() -> ExitCode {
    let loaded = match settings(Cli::command()) {
        Ok(loaded) => loaded,
        Err(error) => error.exit(),
    };
    logging::init(loaded.settings.log_format);
    if let Err(error) = parent_death::die_with_pod() {
        tracing::error!(%error, "cannot start");
        return ExitCode::FAILURE;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4) // for DNS, if the app is given by name
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(doctor::run(loaded, shutdown_signal())),
        Err(error) => {
            tracing::error!(%error, "cannot start the async runtime");
            ExitCode::FAILURE
        }
    }
}

/// Reads the settings. An unknown flag is an error on a terminal (exit 2). In a pod it counts as
/// invalid configuration, because an exit would make the pod unready for the kubelet's back-off.
fn settings(command: Command) -> Result<Loaded, clap::Error> {
    let error = match command
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches))
    {
        Ok(cli) => return Ok(config::load(&cli.settings.0, &Process)),
        Err(error) => error,
    };
    if !error.use_stderr() || std::io::stderr().is_terminal() {
        return Err(error);
    }
    let mut loaded = config::load(&Flags::new(), &Process);
    loaded.errors.push(ConfigError {
        setting: "command line".to_owned(),
        origin: Origin::Invalid,
        problem: error.to_string().trim_end().to_owned(),
    });
    Ok(loaded)
}

/// Waits for SIGTERM or SIGINT.
async fn shutdown_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("cannot receive signals");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
