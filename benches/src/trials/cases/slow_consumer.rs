//! A burst fills an unbounded queue whose consumer is as fast as the usual load; every client gives up
//! before its turn.

use super::{Case, Group, USUAL, impatient, patient};
use crate::load::{Segment, Transport};
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed};

/// The case.
pub(super) static CASE: Case = Case {
    name: "slow-consumer",
    what: "A burst fills an unbounded queue whose consumer is as fast as the usual load; every \
           client gives up before its turn.",
    clients: &[patient(Transport::NewConnection), impatient(Transport::KeepAlive)],
    expected: Expected::restart(
        180,
        "the backlog of requests without clients never drains at the usual load, and a restart \
         drops it",
    ),
    seconds: 280,
    group: Group::All,
    setup: |_, _| {},
    play: |bed| Box::pin(play(bed)),
};

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    // Up to 16 items per second are consumed.
    bed.inject_again("queue", 60).await?;
    let (usual, burst) = (bed.seconds(USUAL), bed.seconds(40.0));
    let rest = bed.seconds(f64::from(CASE.seconds) - USUAL - 40.0);
    bed.start_load(vec![
        Segment::open(15.0, usual),
        Segment::open(50.0, burst),
        Segment::open(15.0, rest),
    ]);
    bed.until(USUAL + 40.0).await;
    bed.fault_begins();
    bed.finish_load().await;
    Ok(())
}
