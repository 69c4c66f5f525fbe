//! Each request holds one blocking lock for 120 ms on 4 workers; 20 requests arrive per second.

use super::{TrialCase, Group, fault_after_usual_load, long_timeout, short_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "lock-convoy",
    what: "Each request holds one blocking lock for 120 ms on 4 workers; 20 requests arrive per \
           second.",
    clients: &[
        long_timeout(Transport::NewConnection),
        short_timeout(Transport::KeepAlive),
    ],
    expected: Expected::restart(
        120,
        "goodput is far below what the app served before, the CPU is idle, and a restart \
         releases the lock",
    ),
    seconds: 220,
    group: Group::All,
    setup: |_, _| {},
    run: |bed| Box::pin(run(bed)),
};

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("convoy", 120)).await
}
