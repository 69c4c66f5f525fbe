//! This process: guard of a child, limits, and the signals that end it.

use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use super::testbed::GUARD;

/// Descriptors of this process and of the service.
const DESCRIPTORS: u64 = 20_000;

/// Becomes a child of the trials, which ends with them.
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

/// Each request in flight needs a descriptor, here and in the service.
pub(super) fn raise_descriptor_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = maximum.map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS));
    let limit = Rlimit {
        current: Some(current),
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        eprintln!("cargo trials: the limit of descriptors stays as it is: {error}");
    }
}

pub(super) fn failed(problem: &str) -> ExitCode {
    eprintln!("cargo trials: {problem}");
    ExitCode::FAILURE
}

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
