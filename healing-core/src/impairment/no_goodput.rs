//! No goodput: nothing succeeds, in an app with too little traffic for a ratio, or with no proven capacity.

use std::time::Duration;

use super::counts::{CountHistory, MIN_REQUESTS, Window};
use super::learned::Learned;

/// Shortest time without a success, where traffic is low: a minute holds at most four answers.
const LOW_TRAFFIC_TIME: Duration = Duration::from_secs(60);

/// Answers among which none may be good, where traffic is low: at half of them bad by chance, five in a row
/// are 3 %.
const LOW_TRAFFIC_ANSWERS: f64 = 5.0;

/// Time without a success, where the app never succeeded: it may still be warming up.
const NO_BASELINE_TIME: Duration = Duration::from_secs(120);

/// Returns `true` if nothing succeeds.
///
/// - An app with little traffic must have succeeded before, and its failures must go on: some at rest in
///   one burst are over.
/// - An app without proven capacity is restarted for this only once, because a version that never worked
///   is not repaired by restarts.
pub(super) fn detect(
    counts: &CountHistory,
    window: Option<Window>,
    capacity: Option<f64>,
    learned: &Learned,
) -> bool {
    let is_low = window.is_some_and(|window| window.sparse);
    let low_traffic = is_low && learned.has_succeeded && fails_on(counts);
    let never_succeeded = capacity.is_none()
        && !learned.restarted_without_baseline
        && counts
            .windows(NO_BASELINE_TIME)
            .find(|window| window.good + window.bad >= MIN_REQUESTS)
            .is_some_and(|window| window.good <= 0.0);
    low_traffic || never_succeeded
}

/// Returns `true` if an app with little traffic fails on and on: no success in the shortest window with enough
/// answers, and failures in both halves of it.
fn fails_on(counts: &CountHistory) -> bool {
    let Some(whole) = counts
        .windows(LOW_TRAFFIC_TIME)
        .find(|window| window.good + window.bad >= LOW_TRAFFIC_ANSWERS)
    else {
        return false;
    };
    let half = Duration::from_secs_f64(whole.seconds / 2.0);
    let recent = counts.last(half).map_or(0.0, |window| window.bad);
    whole.good <= 0.0 && recent > 0.0 && recent < whole.bad
}
