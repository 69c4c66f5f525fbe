//! The task that serves the port has exited, while the process and its care port run.

use super::{TrialCase, Group, fault_after_usual_load, long_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "dead-front-door",
    what: "The task that serves the port has exited, while the process and its care port run.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::restart(
        60,
        "the supervisor does not restart a running process, and no client can connect",
    )
    .soft_heals(0, 0),
    seconds: 160,
    group: Group::Ci,
    setup: |_, _| {},
    run: |bed| Box::pin(run(bed)),
};

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("front-door", 0)).await
}
