//! Subcommands of the operator's command, one file each.
//!
//! Exit codes: 0 success, 1 failure, 2 invalid usage, 78 invalid configuration, 127 a program of the
//! local pod cannot be started.

mod check;
mod config;
mod data;
mod error;
mod evaluate;
mod explain;
mod model;
mod pause;
mod pod;
mod status;
mod train;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use healing_sidecar::config::{Process, Settings, SettingsArgs, load};

use self::error::CommandError;

/// Self-healing for services: run, inspect and train the doctor.
#[derive(Debug, Parser)]
#[command(name = "healing", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an app and its sidecar as a local pod, under the kubelet's restart rules.
    Pod(pod::Args),
    /// Show the status of the sidecar and its app.
    Status(status::Args),
    /// Forbid every treatment, until resumed or for a limited time.
    Pause(pause::PauseArgs),
    /// Allow treatments again.
    Resume(pause::ResumeArgs),
    /// Probe the app once, as the sidecar does, and show the result.
    Check(check::Args),
    /// Show or check the settings.
    Config(config::Args),
    /// Train a model.
    Train(train::Args),
    /// Evaluate a model on labelled data.
    Evaluate(evaluate::Args),
    /// Explain the votes of a model.
    Explain(explain::Args),
    /// Inspect or verify a model file.
    Model(model::Args),
    /// Execute the app of a local pod (for internal use by `pod`).
    #[command(hide = true)]
    PodExec(pod::ExecArgs),
}

/// Parses the command line and runs the subcommand.
#[must_use]
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Pod(args) => pod::run(args),
        Command::Status(args) => status::run(&args),
        Command::Pause(args) => pause::pause(args),
        Command::Resume(args) => pause::resume(&args),
        Command::Check(args) => check::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Model(args) => model::run(&args),
        Command::PodExec(args) => pod::exec(&args),
    };
    result.unwrap_or_else(|error| {
        match &error {
            CommandError::Config(errors) => errors.iter().for_each(|error| print_error(error)),
            error => print_error(error),
        }
        ExitCode::from(error.exit_code())
    })
}

/// Prints an error. If stderr is closed, the exit code still reports the failure.
fn print_error(error: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "healing: {error}");
}

/// Prints a result. A closed stdout, for example by `| head`, is not a failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Returns the settings, or all that are invalid.
fn settings(args: &SettingsArgs) -> Result<Settings, CommandError> {
    let loaded = load(&args.0, &Process);
    if loaded.errors.is_empty() {
        Ok(loaded.settings)
    } else {
        Err(CommandError::Config(loaded.errors))
    }
}

/// Runs a future to completion on a new runtime.
fn block_on<T>(future: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future))
}
