//! Nothing is wrong, and nothing is done.

use std::time::Duration;

use crate::demo::case::{Case, Told};
use crate::demo::wait::until;

/// What it must come to.
pub const TOLD: Told = Told {
    fault: "healthy",
    action: "no_action",
    veto: None,
    sidecar_exit: None,
};

/// So many requests are served before the app counts as healthy.
const REQUESTS: usize = 300;
/// So often the doctor must have looked.
const POLLS: f64 = 12.0;

/// The load begins; the doctor looks on.
///
/// # Errors
/// Not as told.
pub async fn play(case: &mut Case<'_>) -> Result<(), String> {
    case.stage.load.resume();
    case.story
        .tell("8 clients ask for /data, 100 requests a second");
    let (load, began) = (&case.stage.load, case.began());
    let seen = until("300 answers", Duration::from_secs(30), async || {
        let seen = load.seen_since(began);
        (seen.requests >= REQUESTS).then_some(seen)
    })
    .await?;
    if seen.failed > 0 {
        return Err(format!(
            "{} of {} requests failed",
            seen.failed, seen.requests
        ));
    }
    let stage = &*case.stage;
    let polls = until(
        "the doctor looking on",
        Duration::from_secs(30),
        async || stage.polls().await.filter(|polls| *polls >= POLLS),
    )
    .await?;
    case.story.tell(&format!(
        "{} requests served, none failed; the doctor looked {polls} times and did nothing",
        seen.requests
    ));
    Ok(())
}
