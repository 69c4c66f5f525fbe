//! All workers of the runtime are blocked forever.

use super::{TrialCase, Group, fault_after_usual_load, long_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "all-workers-blocked",
    what: "All workers of the runtime are blocked forever.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::restart(
        33,
        "the runtime does not tick; a plain liveness probe would restart it as early",
    )
    .soft_heals(0, 0),
    seconds: 160,
    group: Group::Ci,
    setup: |_, _| {},
    run: |bed| Box::pin(run(bed)),
};

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("wedge", 0)).await
}
