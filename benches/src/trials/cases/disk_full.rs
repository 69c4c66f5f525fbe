//! The disk is full: 10 % of the requests fail.

use super::{Case, Group, fault_after_usual_load, impatient, patient};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed};

/// The case.
pub(super) static CASE: Case = Case {
    name: "disk-full",
    what: "The disk is full: 10 % of the requests fail.",
    clients: &[patient(Transport::NewConnection), impatient(Transport::KeepAlive)],
    expected: Expected::nothing(
        "a restart does not empty the disk, and 90 % of the traffic is served",
    )
        .soft_heals(0, 2),
    seconds: 240,
    group: Group::All,
    setup: |_, _| {},
    play: |bed| Box::pin(play(bed)),
};

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("errors", 10)).await
}
