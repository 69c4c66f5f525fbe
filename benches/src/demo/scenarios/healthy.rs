//! A healthy app under load gets no heal.

use std::time::Duration;

use crate::demo::load::{CLIENT_TIMEOUT, LoadSummary};
use crate::demo::scenario_error::ScenarioError;
use crate::demo::scenario_run::{Expected, ScenarioRun};
use crate::demo::wait::{WaitTimeout, wait_for};

/// Expected result.
pub const EXPECTED: Expected = Expected {
    fault: "healthy",
    action: "no_action",
    veto: None,
    sidecar_exit: None,
};

/// Number of requests that must be served.
const REQUESTS: usize = 300;
/// Number of polls that the doctor must have made.
const POLLS: f64 = 12.0;
/// Number of retries after timeouts, which are due to a busy machine.
const RETRIES: u32 = 3;

/// Starts the load, and waits for requests and polls.
///
/// # Errors
///
/// Returns an error if an observation is not as expected.
pub async fn run(run: &mut ScenarioRun<'_>) -> Result<(), ScenarioError> {
    run.testbed.load.resume();
    run.reporter
        .event("8 clients request /data, 100 requests per second");
    let mut summary = wait_for_requests(run).await?;
    // If requests only timed out, the machine was busy for seconds.
    for _ in 0..RETRIES {
        if summary.failed == 0 || summary.failed > summary.timed_out {
            break;
        }
        run.reporter.event(&format!(
            "{} requests took longer than {CLIENT_TIMEOUT:?}: this machine is very busy; retrying",
            summary.timed_out
        ));
        run.restart_clock();
        summary = wait_for_requests(run).await?;
    }
    if summary.failed > 0 {
        return Err(ScenarioError::RequestsFailed(summary));
    }
    let testbed = &*run.testbed;
    let polls = wait_for("polls by the doctor", Duration::from_secs(30), async || {
        testbed.poll_count().await.filter(|polls| *polls >= POLLS)
    })
    .await?;
    run.reporter.event(&format!(
        "{} requests served, none failed; the doctor polled {polls} times and did nothing",
        summary.requests
    ));
    Ok(())
}

/// Waits for enough requests since the start of the clock, and returns their results.
async fn wait_for_requests(run: &ScenarioRun<'_>) -> Result<LoadSummary, WaitTimeout> {
    let (load, started) = (&run.testbed.load, run.started());
    wait_for("300 responses", Duration::from_secs(30), async || {
        let summary = load.summary_since(started);
        (summary.requests >= REQUESTS).then_some(summary)
    })
    .await
}
