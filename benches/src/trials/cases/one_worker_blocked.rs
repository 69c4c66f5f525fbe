//! One of four workers is blocked for ever.

use super::{Case, Group, fault_after_usual_load, patient};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed};

/// The case.
pub(super) static CASE: Case = Case {
    name: "one-worker-blocked",
    what: "One of four workers is blocked for ever.",
    clients: &[patient(Transport::NewConnection), patient(Transport::KeepAlive)],
    expected: Expected::nothing("the other workers serve every request").served(),
    seconds: 180,
    group: Group::All,
    setup: |_, _| {},
    play: |bed| Box::pin(play(bed)),
};

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("block", 1)).await
}
