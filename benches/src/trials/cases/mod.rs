//! The cases, one file each.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::expected::Expected;
use super::testbed::{Bed, Failed, Spec};
use crate::load::{Client, Segment, Transport};

/// Patience of a client that waits, at scale 1.
const PATIENT: Duration = Duration::from_secs(10);
/// Patience of a client that leaves early, at scale 1.
const IMPATIENT: Duration = Duration::from_secs(2);

/// One case. Times are those of scale 1.
pub struct Case {
    /// Name on the command line.
    pub name: &'static str,
    /// Situation in one sentence.
    pub what: &'static str,
    /// Clients: the case is run with each, and is right if all runs are.
    pub clients: &'static [Client],
    /// Right treatment.
    pub expected: Expected,
    /// Length of a run, in seconds.
    pub seconds: u32,
    /// Kind of selection that the case belongs to.
    pub(super) group: Group,
    pub(super) setup: fn(&mut Spec, f64),
    pub(super) play: fn(&mut Bed) -> Play<'_>,
}

/// Selection that a case belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Every run without a selection.
    All,
    /// The short selection too.
    Ci,
    /// Only the soak.
    Soak,
}

pub(super) type Play<'a> = Pin<Box<dyn Future<Output = Result<(), Failed>> + 'a>>;

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        $(mod $name;)+

        /// All cases, in the order in which they run.
        pub static CASES: &[&Case] = &[$(&$name::CASE),+];
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

const fn patient(transport: Transport) -> Client {
    Client {
        transport,
        patience: PATIENT,
    }
}

const fn impatient(transport: Transport) -> Client {
    Client {
        transport,
        patience: IMPATIENT,
    }
}

/// Seconds of usual load before a fault.
const USUAL: f64 = 60.0;

/// Starts a load at a constant rate, in requests per second, for this many seconds.
fn steady(bed: &mut Bed, rate: f64, seconds: u32) {
    let length = bed.seconds(seconds.into());
    bed.start_load(vec![Segment::open(rate, length)]);
}

/// Injects a fault after a time of usual load, and waits for the end of the load.
async fn fault_after_usual_load(
    bed: &mut Bed,
    rate: f64,
    seconds: u32,
    fault: (&str, u64),
) -> Result<(), Failed> {
    steady(bed, rate, seconds);
    bed.until(USUAL).await;
    bed.inject(fault.0, fault.1).await?;
    bed.finish_load().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn cases_are_named_once_and_use_several_transports() {
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
    fn all_cases_take_at_most_80_minutes_at_scale_4() {
        let runs = CASES.iter().filter(|case| case.group != Group::Soak);
        let seconds: usize = runs
            .map(|case| (case.seconds / 4 + 10) as usize * case.clients.len())
            .sum();
        assert!(seconds <= 80 * 60, "{seconds} s");
    }

    #[test]
    fn selections_are_of_the_promised_size() {
        let of = |group| CASES.iter().filter(move |case| case.group == group);
        assert!((5..=7).contains(&of(Group::Ci).count()));
        assert_eq!(of(Group::Soak).count(), 2);
        let seconds: u32 = of(Group::Ci).map(|case| case.seconds / 6 + 8).sum();
        assert!(seconds <= 300, "{seconds} s at scale 6");
    }
}
