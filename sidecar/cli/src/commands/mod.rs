//! The operator's command: one file a subcommand.
//!
//! Exit codes: 0 done, 1 it did not succeed, 2 wrong usage, 78 bad configuration.

mod check;
mod config;
mod data;
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
use healing_sidecar::exit_code;

/// Self-healing for services: run, ask and train the doctor.
#[derive(Debug, Parser)]
#[command(name = "healing", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an app and its sidecar as a local pod, under the kubelet's restart rules.
    Pod(pod::Args),
    /// Ask the sidecar how things are.
    Status(status::Args),
    /// Forbid every treatment, until resumed or for a time.
    Pause(pause::PauseArgs),
    /// Allow treatments again.
    Resume(pause::ResumeArgs),
    /// Look at the app once, as the sidecar would, and say what was seen.
    Check(check::Args),
    /// Show or check the settings.
    Config(config::Args),
    /// Train a model.
    Train(train::Args),
    /// Judge a model on labelled data.
    Evaluate(evaluate::Args),
    /// Say why a model votes as it does.
    Explain(explain::Args),
    /// Look at a model file.
    Model(model::Args),
    /// Become the app of a local pod (what `pod` starts; not for use by hand).
    #[command(hide = true)]
    PodExec(pod::ExecArgs),
}

/// Parse the command line and run the subcommand.
#[must_use]
pub fn main() -> ExitCode {
    match Cli::parse().command {
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
    }
}

/// Say what went wrong, on stderr, and fail with `code`.
fn fail(code: u8, message: impl std::fmt::Display) -> ExitCode {
    // Nobody reads stderr: the exit code still tells.
    let _ = writeln!(std::io::stderr(), "healing: {message}");
    ExitCode::from(code)
}

/// Print a result. A reader that went away (`| head`) is no failure of ours.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// The settings, or exit 78 with everything that is wrong.
fn settings(args: &SettingsArgs) -> Result<Settings, ExitCode> {
    let loaded = load(&args.0, &Process);
    if loaded.errors.is_empty() {
        return Ok(loaded.settings);
    }
    for error in &loaded.errors {
        fail(exit_code::CONFIG, error);
    }
    Err(ExitCode::from(exit_code::CONFIG))
}

/// A runtime for commands that ask somebody.
fn block_on<T>(future: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future))
}
