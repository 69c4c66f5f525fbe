//! The disk is full, so 10 % of the requests fail.

use super::{TrialCase, Group, fault_after_usual_load, long_timeout, short_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "disk-full",
    what: "The disk is full, so 10 % of the requests fail.",
    clients: &[
        long_timeout(Transport::NewConnection),
        short_timeout(Transport::KeepAlive),
    ],
    expected: Expected::nothing(
        "a restart does not empty the disk, and 90 % of the traffic is served",
    )
    .soft_heals(0, 2),
    seconds: 240,
    group: Group::All,
    setup: |_, _| {},
    run: |bed| Box::pin(run(bed)),
};

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("errors", 10)).await
}
