//! Tasks of this process: guard of a child, limits, and signals.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::testbed::GUARD;
use crate::descriptors;

/// Replaces this process by a child program that the kernel kills when the trials exit. Returns `None` if
/// the command line does not ask for it, and an exit code if the program cannot be started.
pub(super) fn guard() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != GUARD {
        return None;
    }
    let program = args.next()?;
    let rest: Vec<_> = args.collect();
    let error = healing_cli::pod::exec_with_pod(&program, &rest);
    Some(failed(&format!("{}: {error}", program.display())))
}

/// Raises the limit of file descriptors, or prints the reason why it remains.
pub(super) fn raise_descriptor_limit() {
    if let Err(error) = descriptors::raise_limit() {
        eprintln!("cargo trials: the limit of file descriptors cannot be raised: {error}");
    }
}

/// Prints the problem, and returns the exit code of a failed instrument.
pub(super) fn failed(problem: &str) -> ExitCode {
    eprintln!("cargo trials: {problem}");
    ExitCode::FAILURE
}

/// Waits for SIGINT or SIGTERM.
pub(super) async fn interrupted() {
    let signals = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
