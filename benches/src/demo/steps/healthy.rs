//! Nothing is wrong, and nothing is done.

use std::time::Duration;

use crate::demo::case::{Case, Told};
use crate::demo::load::{CLIENT_TIMEOUT, Seen};
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
/// So often it is begun anew because the machine itself stood still.
const MACHINE_STOPS: u32 = 3;

/// The load begins; the doctor looks on.
///
/// # Errors
/// Not as told.
pub async fn play(case: &mut Case<'_>) -> Result<(), String> {
    case.stage.load.resume();
    case.story
        .tell("8 clients ask for /data, 100 requests a second");
    let mut seen = served(case).await?;
    // Not one answer was bad, but some came too late: a machine that stood still for seconds.
    for _ in 0..MACHINE_STOPS {
        if seen.failed == 0 || seen.failed > seen.timed_out {
            break;
        }
        case.story.tell(&format!(
            "{} requests waited longer than {CLIENT_TIMEOUT:?}: this machine is very busy; once more",
            seen.timed_out
        ));
        case.from_now();
        seen = served(case).await?;
    }
    if seen.failed > 0 {
        return Err(format!(
            "{} of {} requests failed, {} of them by no answer in time",
            seen.failed, seen.requests, seen.timed_out
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

/// What clients saw of the first requests since the step's time began.
async fn served(case: &Case<'_>) -> Result<Seen, String> {
    let (load, began) = (&case.stage.load, case.began());
    let seen = until("300 answers", Duration::from_secs(30), async || {
        let seen = load.seen_since(began);
        (seen.requests >= REQUESTS).then_some(seen)
    })
    .await?;
    Ok(seen)
}
