//! Every worker of the app's runtime sleeps: no request is answered. The sidecar exits 88, and the
//! pod restarts the app.

use std::time::Duration;

use healing_cli::pod::{PodEvent, Role};
use healing_sidecar::exit_code;

use crate::demo::case::{Case, Told, seconds};
use crate::demo::wait::until;

/// What it must come to.
pub const TOLD: Told = Told {
    fault: "wedge",
    action: "restart_service",
    veto: None,
    sidecar_exit: Some(exit_code::RESTART_ALL),
};

const RESTART: Duration = Duration::from_secs(20);

/// Wedge, detection, exit 88, new process, verification by the next doctor.
///
/// # Errors
/// Not as told.
pub async fn play(case: &mut Case<'_>) -> Result<(), String> {
    case.inject().await?;
    case.story
        .tell("every worker of the app sleeps in a blocking call: nothing is answered");
    case.detection("a hard heal", |entry| entry.allows("restart_service"))
        .await?;
    let (stage, began) = (&*case.stage, case.began());
    let (at, code) = until("the sidecar's exit", RESTART, async || {
        stage
            .events_since(began)
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
    case.story.tell(&format!(
        "the sidecar exits {code}, {} after the fault",
        seconds(at - began)
    ));
    let (at, pid) = until("a new process of the app", RESTART, async || {
        stage
            .events_since(began)
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
    case.story.tell(&format!(
        "the pod restarts both: the app is process {pid}, {} after the fault",
        seconds(at - began)
    ));
    case.clients_served_again().await?;
    case.verified().await
}
