//! A quarter of `/data` fails until the cache is dropped: a soft heal drops it.

use crate::demo::case::{Case, Told};

/// What it must come to.
pub const TOLD: Told = Told {
    fault: "poisoned-cache",
    action: "reset_errors",
    veto: None,
    sidecar_exit: None,
};

/// Poison, detection, soft heal, verification.
///
/// # Errors
/// Not as told.
pub async fn play(case: &mut Case<'_>) -> Result<(), String> {
    case.inject().await?;
    case.story
        .tell("broken entries in the cache: every fourth request fails, and none expires");
    case.detection("a soft heal", |entry| entry.allows("reset_errors"))
        .await?;
    case.clients_served_again().await?;
    case.verified().await
}
