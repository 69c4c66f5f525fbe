//! Descriptors leak under a limit of 256.

use super::{Case, Group, fault_after_usual_load, patient};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "descriptor-exhaustion",
    what: "Descriptors leak under a limit of 256.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Nginx)],
    expected: Expected::restart(
        260,
        "the limit will be hit, and a restart closes the descriptors",
    ).soft_heals(0, 1),
    seconds: 340,
    group: Group::All,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.service_args = vec!["--max-descriptors=256".to_owned()];
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    let leak = bed.per_second(1);
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("leak-descriptors", leak)).await
}
