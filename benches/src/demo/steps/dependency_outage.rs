//! The process that the app depends on ends. Restarting the app would help nobody: the doctor sees
//! the errors, and a veto holds it back until the dependency is there again.

use std::time::{Duration, Instant};

use healing_cli::pod::PodEvent;

use crate::demo::case::{Case, Told, seconds};
use crate::demo::doctor::Entry;
use crate::demo::wait::until;

const VETO: &str = "dependency_down";

/// What it must come to.
pub const TOLD: Told = Told {
    fault: "dependency-outage",
    action: "no_action",
    veto: Some(VETO),
    sidecar_exit: None,
};

/// The outage goes on for this long after the first veto.
const OUTAGE: Duration = Duration::from_secs(4);

/// Outage, veto, and still the same process when the dependency is back.
///
/// # Errors
/// Not as told.
pub async fn play(case: &mut Case<'_>) -> Result<(), String> {
    case.inject().await?;
    until(
        "the dependency's end",
        Duration::from_secs(10),
        async || case.stage.dependency_ended().then_some(()),
    )
    .await?;
    case.story
        .tell("the dependency's process has ended: /data answers 503");
    let vetoed = |entry: &Entry| entry.veto().as_deref() == Some(VETO);
    case.detection("a veto", vetoed).await?;
    tokio::time::sleep(OUTAGE).await;
    let exited = |event: &PodEvent| matches!(event, PodEvent::Exited { .. });
    if case
        .stage
        .events_since(case.began())
        .iter()
        .any(|(_, event)| exited(event))
    {
        return Err("a process of the pod ended during the outage".to_owned());
    }
    case.story.tell(&format!(
        "{} later nothing was restarted: it would not help",
        seconds(OUTAGE)
    ));
    case.stage
        .revive_dependency()
        .map_err(|error| format!("the dependency: {error}"))?;
    let revived = Instant::now();
    case.story
        .tell("whoever runs the dependency starts it again");
    let served = case.clients_served_again().await?;
    case.story.tell(&format!(
        "well again without any treatment, {} later",
        seconds(served - revived)
    ));
    Ok(())
}
