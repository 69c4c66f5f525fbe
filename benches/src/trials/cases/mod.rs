//! The cases, one file each.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::expected::Expected;
use super::testbed::{Bed, RunError, Spec};
use crate::load::{Client, Segment, Transport};

/// Long timeout of a client, at scale 1.
const LONG_TIMEOUT: Duration = Duration::from_secs(10);
/// Short timeout of a client, at scale 1.
const SHORT_TIMEOUT: Duration = Duration::from_secs(2);

/// Case of the trials. Times are those of scale 1.
pub struct TrialCase {
    /// Name on the command line.
    pub name: &'static str,
    /// Fault or load, in one sentence.
    pub what: &'static str,
    /// Clients. The case is run with each of them, and is right if all runs are.
    pub clients: &'static [Client],
    /// Right treatment.
    pub expected: Expected,
    /// Length of a run, in seconds.
    pub seconds: u32,
    /// Selection that the case belongs to.
    pub(super) group: Group,
    /// Changes the specification of the testbed at a time scale.
    pub(super) setup: fn(&mut Spec, f64),
    /// Runs load and fault on the started testbed.
    pub(super) run: fn(&mut Bed) -> CaseFuture<'_>,
}

/// Selection of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Only the runs without a selection.
    All,
    /// The short selection, and the runs without a selection.
    Ci,
    /// Only `--soak`.
    Soak,
}

/// Run of a case.
pub(super) type CaseFuture<'a> = Pin<Box<dyn Future<Output = Result<(), RunError>> + 'a>>;

impl std::fmt::Debug for TrialCase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        $(mod $name;)+

        /// All cases, in the order in which they run.
        pub static CASES: &[&TrialCase] = &[$(&$name::CASE),+];
    };
}

cases! {
    healthy,
    saturation_110_open,
    saturation_110_closed,
    saturation_140_open,
    saturation_140_closed,
    saturation_200_open,
    saturation_200_closed,
    starved_from_start,
    starved_midway,
    quota_cut,
    lock_convoy,
    slow_consumer,
    pool_leak,
    one_worker_blocked,
    all_workers_blocked,
    dead_background_task,
    dead_front_door,
    bound_before_serving,
    crash_slow_boot,
    failing_route,
    disk_full,
    clients_leave,
    descriptor_exhaustion,
    memory_leak,
    app_stopped,
    doctor_stopped,
    two_doctors,
    torn_state,
    pause_in_drain,
    sigterm_in_drain,
    exit_without_supervisor,
    soak_open,
    soak_closed,
}

mod saturation;

/// Returns a client with the long timeout.
const fn long_timeout(transport: Transport) -> Client {
    Client {
        transport,
        timeout: LONG_TIMEOUT,
    }
}

/// Returns a client with the short timeout.
const fn short_timeout(transport: Transport) -> Client {
    Client {
        transport,
        timeout: SHORT_TIMEOUT,
    }
}

/// Seconds of usual load before a fault.
const USUAL: f64 = 60.0;

/// Starts a load at a constant rate, in requests per second, for this many seconds.
fn steady(bed: &mut Bed, rate: f64, seconds: u32) {
    let length = bed.seconds(seconds.into());
    bed.clients.start(vec![Segment::open(rate, length)]);
}

/// Injects a fault after [`USUAL`] seconds of load, and waits until the load has finished.
async fn fault_after_usual_load(
    bed: &mut Bed,
    rate: f64,
    seconds: u32,
    fault: (&str, u64),
) -> Result<(), RunError> {
    steady(bed, rate, seconds);
    bed.until(USUAL).await;
    bed.inject(fault.0, fault.1).await?;
    bed.clients.finish().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn case_names_are_unique_and_cases_use_several_transports() {
        let names: HashSet<_> = CASES.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), CASES.len());
        for case in CASES {
            let transports: HashSet<_> =
                case.clients.iter().map(|client| client.transport).collect();
            let soak = case.group == Group::Soak;
            assert!(transports.len() >= 2 || soak, "{}", case.name);
            assert!(!case.expected.why.is_empty(), "{}", case.name);
        }
    }

    #[test]
    fn cases_take_at_most_80_minutes_at_scale_4() {
        let runs = CASES.iter().filter(|case| case.group != Group::Soak);
        let seconds: usize = runs
            .map(|case| (case.seconds / 4 + 10) as usize * case.clients.len())
            .sum();
        assert!(seconds <= 80 * 60, "{seconds} s");
    }

    #[test]
    fn selections_have_documented_size() {
        let of = |group| CASES.iter().filter(move |case| case.group == group);
        assert!((5..=7).contains(&of(Group::Ci).count()));
        assert_eq!(of(Group::Soak).count(), 2);
        let seconds: u32 = of(Group::Ci).map(|case| case.seconds / 6 + 8).sum();
        assert!(seconds <= 300, "{seconds} s at scale 6");
    }
}
