//! Repeated runs of the checks, spawned on the app's runtime and timed from the care thread.

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;

use super::{Check, Checks};
use crate::heartbeat::Heartbeat;
use crate::job::{JobError, joined_result};

/// Runs all checks concurrently on the current runtime, the care thread's, until dropped.
pub(crate) async fn run_checks(checks: Checks, app: Handle, heartbeat: Arc<Heartbeat>) {
    let mut running = tokio::task::JoinSet::new();
    for check in checks.checks.iter() {
        let (checks, check) = (checks.clone(), Arc::clone(check));
        let (app, heartbeat) = (app.clone(), Arc::clone(&heartbeat));
        running.spawn(async move {
            let mut due = tokio::time::interval(check.options.interval);
            due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                due.tick().await;
                run_once(&checks, &check, &app, &heartbeat).await;
            }
        });
    }
    while running.join_next().await.is_some() {}
}

/// Runs a check once. Returns when the check's task has finished, so the next run never overlaps it.
async fn run_once(checks: &Checks, check: &Check, app: &Handle, heartbeat: &Heartbeat) {
    let mut task = check.job.spawn_on(app);
    let timeout = check.options.timeout;
    let joined = match tokio::time::timeout(timeout, &mut task).await {
        Ok(joined) => joined,
        // Either the check is slow or the runtime is stalled. A timeout on a stalled runtime is not an
        // outage of the dependency, and if it counted as one, it would veto the restart that the runtime
        // needs. So the timeout counts only if the check is still running after two ticks.
        Err(_) => tokio::select! {
            biased;
            joined = &mut task => joined,
            () = two_ticks(heartbeat) => {
                task.abort();
                checks.record(check, Err(JobError::TimedOut(timeout)), Instant::now());
                let _ = task.await;
                return;
            }
        },
    };
    match joined_result(joined) {
        Err(JobError::RuntimeShutDown) => {} // not a result of the check
        result => checks.record(check, result, Instant::now()),
    }
}

async fn two_ticks(heartbeat: &Heartbeat) {
    heartbeat.next_tick().await;
    heartbeat.next_tick().await;
}
