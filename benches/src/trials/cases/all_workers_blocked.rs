//! All workers of the runtime are blocked for ever.

use super::{Case, Group, fault_after_usual_load, patient};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed};

/// The case.
pub(super) static CASE: Case = Case {
    name: "all-workers-blocked",
    what: "All workers of the runtime are blocked for ever.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Nginx)],
    expected: Expected::restart(
        33,
        "the runtime does not tick; a plain liveness probe would restart it as early",
    )
        .soft_heals(0, 0),
    seconds: 160,
    group: Group::Ci,
    setup: |_, _| {},
    play: |bed| Box::pin(play(bed)),
};

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("wedge", 0)).await
}
