//! A healthy app at a steady rate.

use super::{Case, Group, patient, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed};

/// The case.
pub(super) static CASE: Case = Case {
    name: "healthy",
    what: "A healthy app at a steady rate.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Http2), patient(Transport::Nginx)],
    expected: Expected::nothing("nothing is wrong")
        .served()
        .failed_at_most(0),
    seconds: 100,
    group: Group::Ci,
    setup: |_, _| {},
    play: |bed| Box::pin(play(bed)),
};

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    steady(bed, 60.0, CASE.seconds);
    bed.fault_begins();
    bed.finish_load().await;
    Ok(())
}
