//! Graceful shutdown, driven by the care thread because the app's own runtime may be stalled.
//!
//! The process exits with [`exit_code::CONDEMNED`] after `restart_service`, and with
//! [`exit_code::TERMINATED`] after SIGTERM if the app did not exit in time (its runtime is stalled, or the
//! deadline has passed). Otherwise the app's `main` returns with a code of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::deferred_log;
use crate::exit_code;
use crate::lifecycle::{ShutdownReasons, Step};
use crate::shared::Shared;

/// Time between two checks of the heartbeat.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Time between the server's own deadline and the exit of the process.
const DEADLINE_MARGIN: Duration = Duration::from_secs(2);
/// Time limit for the last log lines, because a blocked log sink must not delay the exit.
const LOG_TIMEOUT: Duration = Duration::from_millis(200);
/// Time limit for the exit handlers.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Waits for a shutdown, runs it, and returns the exit code. If the app exits in time, this does not
/// return. If only the app requested the shutdown, the exit is left to the app, and this never returns.
pub(super) async fn run(shared: &Arc<Shared>) -> i32 {
    let (lifecycle, timing) = (&shared.lifecycle, &shared.settings.timing);
    lifecycle.reached(Step::LameDuck).await;

    // The lame-duck time is counted from the moment of becoming not ready, so an earlier drain counts.
    let now = std::time::Instant::now();
    let since = lifecycle.draining_since(now).unwrap_or(now);
    tokio::select! {
        () = sleep_until(Instant::from_std(since + timing.lame_duck)) => {}
        () = until_stalled(shared) => {}
    }
    lifecycle.advance(Step::Closing);

    let deadline = Instant::now() + timing.drain_deadline + DEADLINE_MARGIN;
    let closed = tokio::select! {
        () = lifecycle.reached(Step::Closed) => true,
        () = until_stalled(shared) => false,
        () = sleep_until(deadline) => false,
    };
    let reasons = lifecycle.exit_requested().await;
    if let Some(at) = reasons.condemned {
        // Give a liveness probe time to restart the container first, because that avoids back-off.
        tokio::select! {
            () = sleep_until(Instant::from_std(at + timing.condemned_wait)) => {}
            () = lifecycle.terminated() => {}
        }
    } else if closed {
        // `main` returns and drops its runtime, which waits for every blocked worker. While the runtime
        // ticks, `main` is still running the owner's own clean-up, which has no deadline here.
        tokio::select! {
            () = until_stalled(shared) => {}
            () = until_runtime_gone(shared) => sleep_until(deadline).await,
        }
    }
    exit_code(reasons)
}

/// Returns the exit code for the reasons of a shutdown.
pub(super) fn exit_code(reasons: ShutdownReasons) -> i32 {
    if reasons.condemned.is_some() {
        exit_code::CONDEMNED
    } else {
        exit_code::TERMINATED
    }
}

/// Resolves when the app's runtime has shut down.
async fn until_runtime_gone(shared: &Shared) {
    while shared.heartbeat.is_running() {
        sleep(POLL_INTERVAL).await;
    }
}

/// Resolves when the app's runtime is stalled.
async fn until_stalled(shared: &Shared) {
    while !shared.heartbeat.is_stalled(std::time::Instant::now()) {
        sleep(POLL_INTERVAL).await;
    }
}

/// Exits the process. Exit handlers may block if other threads are blocked; the process is then aborted
/// after [`EXIT_TIMEOUT`].
pub(super) fn exit_process(code: i32) -> ! {
    let watchdog = std::thread::Builder::new().name("healing-exit".to_owned());
    let _ = watchdog.spawn(|| {
        std::thread::sleep(EXIT_TIMEOUT);
        std::process::abort();
    });
    deferred_log::emit(move || tracing::warn!(code, "exiting the process from the care thread"));
    deferred_log::flush(LOG_TIMEOUT);
    std::process::exit(code)
}
