//! The operator's command: one file a subcommand.
//!
//! Exit codes: 0 done, 1 it did not succeed, 2 wrong usage, 78 bad configuration.

mod pod;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    /// Become the app of a local pod (what `pod` starts; not for use by hand).
    #[command(hide = true)]
    PodExec(pod::ExecArgs),
}

/// Parse the command line and run the subcommand.
#[must_use]
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Pod(args) => pod::run(args),
        Command::PodExec(args) => pod::exec(&args),
    }
}

/// Say what went wrong, on stderr, and fail with `code`.
fn fail(code: u8, message: impl std::fmt::Display) -> ExitCode {
    use std::io::Write;
    // Nobody reads stderr: the exit code still tells.
    let _ = writeln!(std::io::stderr(), "healing: {message}");
    ExitCode::from(code)
}
