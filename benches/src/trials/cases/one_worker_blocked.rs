//! One of four workers is blocked forever.

use super::{TrialCase, Group, fault_after_usual_load, long_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "one-worker-blocked",
    what: "One of four workers is blocked forever.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::KeepAlive),
    ],
    expected: Expected::nothing("the other workers serve every request").served(),
    seconds: 180,
    group: Group::All,
    setup: |_, _| {},
    run: |bed| Box::pin(run(bed)),
};

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("block", 1)).await
}
