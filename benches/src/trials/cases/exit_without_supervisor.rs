//! The doctor exits with 88, but no supervisor restarts the app, which stays unresponsive.

use super::{TrialCase, Group, fault_after_usual_load, long_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError, Spec, Supervision};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "exit-without-supervisor",
    what: "The doctor exits with 88, but no supervisor restarts the app, which stays unresponsive.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::restart(
        33,
        "an exit that restarted nothing is recorded, and not repeated",
    )
    .soft_heals(0, 0)
    .not_served(),
    seconds: 300,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.supervision = Supervision::DoctorOnly;
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("wedge", 0)).await
}
