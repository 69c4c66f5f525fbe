//! Memory leaks at 0.3 MiB/s into a limit of 96 MiB.

use super::{TrialCase, Group, fault_after_usual_load, long_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "memory-leak",
    what: "Memory leaks at 0.3 MiB/s into a limit of 96 MiB.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::restart(
        300,
        "the kernel will kill the app, and a drained restart before that loses no request",
    )
    .soft_heals(0, 0)
    .failed_at_most(20),
    seconds: 360,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.memory = Some(96 << 20);
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    let leak = bed.per_second(300);
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("leak-memory", leak)).await?;
    if bed.observer.app_starts() > bed.observer.restarts() + 1 {
        bed.problem("the kernel killed the app");
    }
    Ok(())
}
