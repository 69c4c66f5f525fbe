//! File descriptors leak under a limit of 256.

use super::{TrialCase, Group, fault_after_usual_load, long_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "descriptor-exhaustion",
    what: "File descriptors leak under a limit of 256.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::restart(
        260,
        "the limit will be reached, and a restart closes the descriptors",
    )
    .soft_heals(0, 1),
    seconds: 340,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.service_args = vec!["--max-descriptors=256".to_owned()];
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    let leak = bed.per_second(1);
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("leak-descriptors", leak)).await
}
