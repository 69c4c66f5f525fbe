//! Every worker of the app's runtime sleeps, so the runtime is stalled. The sidecar exits 88, and the pod
//! restarts the app.

use std::time::Duration;

use healing_cli::pod::{PodEvent, Role};
use healing_sidecar::exit_code;

use crate::demo::scenario_error::ScenarioError;
use crate::demo::scenario_run::{Expected, ScenarioRun, format_seconds};
use crate::demo::wait::wait_for;

/// Expected result.
pub const EXPECTED: Expected = Expected {
    fault: "wedge",
    action: "restart_service",
    veto: None,
    sidecar_exit: Some(exit_code::RESTART_ALL),
};

/// Timeout of the sidecar's exit, and of the app's restart.
const RESTART_TIMEOUT: Duration = Duration::from_secs(20);

/// Stalls the runtime, and waits for exit 88, a new process, and the outcome that the next doctor records.
///
/// # Errors
///
/// Returns an error if an observation is not as expected.
pub async fn run(run: &mut ScenarioRun<'_>) -> Result<(), ScenarioError> {
    run.inject().await?;
    run.reporter
        .event("every worker of the app sleeps in a blocking call, so its runtime is stalled");
    run.wait_for_detection("a hard heal", |entry| entry.allows("restart_service"))
        .await?;
    let (testbed, started) = (&*run.testbed, run.started());
    let (at, code) = wait_for("the sidecar's exit", RESTART_TIMEOUT, async || {
        testbed
            .events_since(started)
            .into_iter()
            .find_map(|(at, event)| match event {
                PodEvent::Exited {
                    role: Role::Sidecar,
                    code,
                    ..
                } => Some((at, code)),
                _ => None,
            })
    })
    .await?;
    let code = code.map_or_else(|| "by a signal".to_owned(), |code| code.to_string());
    run.reporter.event(&format!(
        "the sidecar exits {code}, {} after the fault",
        format_seconds(at - started)
    ));
    let (at, pid) = wait_for("a new process of the app", RESTART_TIMEOUT, async || {
        testbed
            .events_since(started)
            .into_iter()
            .find_map(|(at, event)| match event {
                PodEvent::Started {
                    role: Role::App,
                    pid,
                    ..
                } => Some((at, pid)),
                _ => None,
            })
    })
    .await?;
    run.reporter.event(&format!(
        "the pod restarts both, the app as process {pid}, {} after the fault",
        format_seconds(at - started)
    ));
    run.wait_for_recovery().await?;
    run.wait_for_outcome().await
}
