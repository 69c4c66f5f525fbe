//! The doctor exits 88 where nobody restarts the app: the same instance hangs on.

use super::{Case, Group, fault_after_usual_load, patient};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed, Spec, Supervision};

/// The case.
pub(super) static CASE: Case = Case {
    name: "exit-without-supervisor",
    what: "The doctor exits 88 where nobody restarts the app: the same instance hangs on.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Nginx)],
    expected: Expected::restart(
        33,
        "an exit that restarted nothing is remembered, and not repeated",
    )
        .soft_heals(0, 0)
        .not_served(),
    seconds: 300,
    group: Group::All,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.supervision = Supervision::DoctorOnly;
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("wedge", 0)).await
}
