//! A burst fills an unbounded queue whose consumer is only as fast as the usual load; every client
//! times out before its item is consumed.

use super::{TrialCase, Group, USUAL, long_timeout, short_timeout};
use crate::load::{Segment, Transport};
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "slow-consumer",
    what: "A burst fills an unbounded queue whose consumer is only as fast as the usual load; every \
           client times out before its item is consumed.",
    clients: &[
        long_timeout(Transport::NewConnection),
        short_timeout(Transport::KeepAlive),
    ],
    expected: Expected::restart(
        180,
        "the backlog of requests without clients never drains at the usual load, and a restart \
         drops it",
    ),
    seconds: 280,
    group: Group::All,
    setup: |_, _| {},
    run: |bed| Box::pin(run(bed)),
};

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    // Up to 16 items per second are consumed.
    bed.endpoints.inject("queue", 60).await?;
    let (usual, burst) = (bed.seconds(USUAL), bed.seconds(40.0));
    let rest = bed.seconds(f64::from(CASE.seconds) - USUAL - 40.0);
    bed.clients.start(vec![
        Segment::open(15.0, usual),
        Segment::open(50.0, burst),
        Segment::open(15.0, rest),
    ]);
    bed.until(USUAL + 40.0).await;
    bed.fault_begins();
    bed.clients.finish().await;
    Ok(())
}
