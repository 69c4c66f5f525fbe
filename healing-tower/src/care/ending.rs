//! The way out, walked by the care thread: it works when the app's own runtime does not.
//!
//! Exit codes: **75** where `restart_service` was asked for (0 would complete a Job), **143** where
//! SIGTERM came and the app could not end in order by itself (its runtime is stalled, or the
//! deadline has passed). In order, the app's `main` returns, and its own code stands.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::log;
use crate::app::App;
use crate::lifecycle::{Reasons, Step};

/// Ended on `restart_service`.
pub(crate) const CONDEMNED: i32 = 75;
/// Ended on SIGTERM, not in order: 128 + 15, as shells and the kubelet show it.
const TERMINATED: i32 = 143;
/// How often a stall is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Between the server's own deadline and the end of the process.
const AFTER_DEADLINE: Duration = Duration::from_secs(2);
/// For the last words: a log that nobody reads must not keep the process.
const LOG_WITHIN: Duration = Duration::from_millis(200);

/// Waits until this instance leaves, and walks with it, to the code to end the process with. Where
/// the app ends in order, the process is gone before this returns; where only the app itself asked
/// for the end, whether the process ends is the app's business, and this never returns.
pub(crate) async fn walk(app: &Arc<App>) -> i32 {
    let life = &app.life;
    life.reached(Step::LameDuck).await;

    // Lame duck: counted from when it stopped being ready, a lease before counts too.
    let now = std::time::Instant::now();
    let since = life.draining_since(now).unwrap_or(now);
    tokio::select! {
        () = sleep_until(Instant::from_std(since + app.timing.lame_duck)) => {}
        () = stalled(app) => {}
    }
    life.advance(Step::Closing);

    let deadline = Instant::now() + app.timing.drain_deadline + AFTER_DEADLINE;
    let in_order = tokio::select! {
        () = life.reached(Step::Closed) => true,
        () = stalled(app) => false,
        () = sleep_until(deadline) => false,
    };
    match life.sentence().await {
        Reasons {
            condemned: Some(at),
            ..
        } => {
            // Where a supervisor restarts by liveness, its restart is the better one: no back-off.
            tokio::select! {
                () = sleep_until(Instant::from_std(at + app.timing.condemned_wait)) => {}
                () = life.terminated() => {}
            }
            CONDEMNED
        }
        Reasons {
            condemned: None, ..
        } => {
            if in_order {
                // `main` returns now, and drops its runtime, which waits for every blocked worker.
                // While the runtime ticks, that is the owner's own cleaning up, and has no
                // deadline here.
                tokio::select! {
                    () = stalled(app) => {}
                    () = gone(app) => sleep_until(deadline).await,
                }
            }
            TERMINATED
        }
    }
}

/// Where nothing is waited for.
pub(super) fn code(reasons: Reasons) -> i32 {
    if reasons.condemned.is_some() {
        CONDEMNED
    } else {
        TERMINATED
    }
}

async fn gone(app: &App) {
    while app.heart.is_beating() {
        sleep(LOOK_EVERY).await;
    }
}

async fn stalled(app: &App) {
    while !app.heart.is_stalled(std::time::Instant::now()) {
        sleep(LOOK_EVERY).await;
    }
}

/// Ends the process. Exit handlers may hang in a process whose threads are stuck; then it aborts.
pub(crate) fn end_process(code: i32) -> ! {
    let watchdog = std::thread::Builder::new().name("healing-exit".to_owned());
    let _ = watchdog.spawn(|| {
        std::thread::sleep(Duration::from_secs(2));
        std::process::abort();
    });
    log::say(move || tracing::warn!(code, "the care thread ends this process"));
    log::written(LOG_WITHIN);
    std::process::exit(code)
}
