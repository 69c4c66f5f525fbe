//! A quarter of `/data` fails until a soft heal drops the cache.

use crate::demo::scenario_error::ScenarioError;
use crate::demo::scenario_run::{Expected, ScenarioRun};

/// Expected result.
pub const EXPECTED: Expected = Expected {
    fault: "poisoned-cache",
    action: "reset_errors",
    veto: None,
    sidecar_exit: None,
};

/// Poisons the cache, and waits for soft heal and outcome.
///
/// # Errors
///
/// Returns an error if an observation is not as expected.
pub async fn run(run: &mut ScenarioRun<'_>) -> Result<(), ScenarioError> {
    run.inject().await?;
    run.reporter
        .event("broken entries in the cache do not expire, so every fourth request fails");
    run.wait_for_detection("a soft heal", |entry| entry.allows("reset_errors"))
        .await?;
    run.wait_for_recovery().await?;
    run.wait_for_outcome().await
}
