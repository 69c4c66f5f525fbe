//! The process that the app depends on exits. A restart of the app would not help, so a veto forbids the
//! treatment until the dependency is available again.

use std::time::{Duration, Instant};

use healing_cli::pod::PodEvent;

use crate::demo::scenario_error::ScenarioError;
use crate::demo::scenario_run::{Expected, ScenarioRun, format_seconds};
use crate::demo::wait::wait_for;
use crate::journal::Entry;

const VETO: &str = "dependency_down";

/// Expected result.
pub const EXPECTED: Expected = Expected {
    fault: "dependency-outage",
    action: "no_action",
    veto: Some(VETO),
    sidecar_exit: None,
};

/// Duration of the outage after the first veto.
const OUTAGE: Duration = Duration::from_secs(4);

/// Runs the outage, restarts the dependency, and waits for the recovery without a restart of the app.
///
/// # Errors
///
/// Returns an error if an observation is not as expected.
pub async fn run(run: &mut ScenarioRun<'_>) -> Result<(), ScenarioError> {
    run.inject().await?;
    wait_for(
        "the exit of the dependency",
        Duration::from_secs(10),
        async || run.testbed.dependency_exited().then_some(()),
    )
    .await?;
    run.reporter
        .event("the dependency's process has exited, so /data responds with 503");
    let vetoed = |entry: &Entry| entry.veto().as_deref() == Some(VETO);
    run.wait_for_detection("a veto", vetoed).await?;
    tokio::time::sleep(OUTAGE).await;
    for (_, event) in run.testbed.events_since(run.started()) {
        if let PodEvent::Exited {
            role, code, signal, ..
        } = event
        {
            return Err(ScenarioError::UnexpectedExit { role, code, signal });
        }
    }
    run.reporter.event(&format!(
        "{} later nothing was restarted, because a restart would not help",
        format_seconds(OUTAGE)
    ));
    run.testbed
        .restart_dependency()
        .map_err(ScenarioError::RestartDependency)?;
    let restarted = Instant::now();
    run.reporter.event("the dependency is started again");
    let recovered = run.wait_for_recovery().await?;
    run.reporter.event(&format!(
        "healthy again without any treatment, {} later",
        format_seconds(recovered - restarted)
    ));
    Ok(())
}
