//! A background task that requests depend on has panicked, so 30 % of the requests fail.

use super::{TrialCase, Group, fault_after_usual_load, long_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "dead-background-task",
    what: "A background task that requests depend on has panicked, so 30 % of the requests fail.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Http2),
    ],
    expected: Expected::restart(
        150,
        "a restart starts the task again, and soft heals do not",
    ),
    seconds: 260,
    group: Group::All,
    setup: |_, _| {},
    run: |bed| Box::pin(run(bed)),
};

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("dead-task", 0)).await
}
