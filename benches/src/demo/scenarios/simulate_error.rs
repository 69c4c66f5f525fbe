//! Test of the original system: six errors without other traffic are healed automatically.

use std::time::{Duration, Instant};

use healing_core::config::PolicyConfig;
use healing_core::health::Status;

use crate::demo::scenario_error::ScenarioError;
use crate::demo::scenario_run::{Expected, ScenarioRun};
use crate::demo::wait::wait_for;

/// Expected result.
pub const EXPECTED: Expected = Expected {
    fault: "simulate-error",
    action: "reset_errors",
    veto: None,
    sidecar_exit: None,
};

const ERRORS: u64 = 6;
const PATH: &str = "/simulate-error";

/// Pauses the load, makes six errors, and waits for the soft heal.
///
/// # Errors
///
/// Returns an error if an observation is not as expected.
pub async fn run(run: &mut ScenarioRun<'_>) -> Result<(), ScenarioError> {
    run.testbed.load.pause().await;
    let result = run_without_load(run).await;
    run.testbed.load.resume();
    result
}

async fn run_without_load(run: &mut ScenarioRun<'_>) -> Result<(), ScenarioError> {
    // The error ratio is measured over the slow window, so the requests of the load must have left it.
    let window = PolicyConfig::demo().slow_window;
    run.reporter.event(&format!(
        "the load is paused until it has left the doctor's window of {window:?}"
    ));
    tokio::time::sleep(window).await;
    run.restart_clock();
    let request = || format!("GET {PATH}");
    for _ in 0..ERRORS {
        match run.testbed.get(PATH).await {
            Ok((500, _)) => run.add_failed_requests(1),
            Ok((status, body)) => {
                return Err(ScenarioError::HttpStatus {
                    request: request(),
                    expected: 500,
                    status,
                    body,
                });
            }
            Err(error) => {
                return Err(ScenarioError::Request {
                    request: request(),
                    error,
                });
            }
        }
    }
    let health = run.testbed.health().await;
    let reported = health.map(|health| (health.status, health.error_count));
    // The doctor may have healed the app already.
    if reported != Some((Status::Degraded, ERRORS)) && reported != Some((Status::Healthy, 0)) {
        return Err(ScenarioError::Health {
            expected: ERRORS,
            reported,
        });
    }
    run.reporter
        .event("after 6 × GET /simulate-error, /health reports degraded, 6 errors");
    run.wait_for_detection("a soft heal", |entry| entry.allows("reset_errors"))
        .await?;
    let testbed = &*run.testbed;
    let healed = wait_for(
        "/health reporting healthy",
        Duration::from_secs(10),
        async || {
            let health = testbed.health().await?;
            (health.status == Status::Healthy && health.error_count == 0).then(Instant::now)
        },
    )
    .await?;
    run.record_recovery(healed, "/health reports healthy, 0 errors");
    run.wait_for_outcome().await
}
