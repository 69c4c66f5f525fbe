//! The original system's own test: six errors while nothing else happens, healed without help.

use std::time::{Duration, Instant};

use healing_core::config::PolicyConfig;
use healing_core::health::Status;

use crate::demo::case::{Case, Told};
use crate::demo::wait::until;

/// What it must come to.
pub const TOLD: Told = Told {
    fault: "simulate-error",
    action: "reset_errors",
    veto: None,
    sidecar_exit: None,
};

const ERRORS: u64 = 6;

/// Rest, six errors, detection, soft heal; then the load goes on.
///
/// # Errors
/// Not as told.
pub async fn play(case: &mut Case<'_>) -> Result<(), String> {
    case.stage.load.rest().await;
    let result = with_the_load_at_rest(case).await;
    case.stage.load.resume();
    result
}

async fn with_the_load_at_rest(case: &mut Case<'_>) -> Result<(), String> {
    // Six errors matter as a share of the requests in the slow window: the load must have left it.
    let window = PolicyConfig::demo().slow_window;
    case.story.tell(&format!(
        "the load rests until it has left the doctor's window of {window:?}"
    ));
    tokio::time::sleep(window).await;
    case.from_now();
    for _ in 0..ERRORS {
        match case.stage.get("/simulate-error").await {
            Ok((500, _)) => case.failed_beside_load(1),
            Ok((status, _)) => return Err(format!("GET /simulate-error answered {status}")),
            Err(error) => return Err(format!("GET /simulate-error: {error}")),
        }
    }
    let health = case.stage.health().await;
    let says = health.map(|health| (health.status, health.error_count));
    // A quick doctor may have healed by now.
    if says != Some((Status::Degraded, ERRORS)) && says != Some((Status::Healthy, 0)) {
        return Err(format!(
            "/health should say degraded, {ERRORS} errors; it says {says:?}"
        ));
    }
    case.story
        .tell("6 × GET /simulate-error: /health says degraded, 6 errors");
    case.detection("a soft heal", |entry| entry.allows("reset_errors"))
        .await?;
    let stage = &*case.stage;
    let healed = until(
        "/health saying healthy",
        Duration::from_secs(10),
        async || {
            let health = stage.health().await?;
            (health.status == Status::Healthy && health.error_count == 0).then(Instant::now)
        },
    )
    .await?;
    case.recovered_at(healed, "/health says healthy, 0 errors");
    case.verified().await
}
