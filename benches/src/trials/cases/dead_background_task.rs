//! The task that refreshes what requests need has panicked: 30 % of them fail.

use super::{Case, Group, fault_after_usual_load, patient};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed};

/// The case.
pub(super) static CASE: Case = Case {
    name: "dead-background-task",
    what: "The task that refreshes what requests need has panicked: 30 % of them fail.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Http2)],
    expected: Expected::restart(150, "soft heals do not bring the task back, and a restart does"),
    seconds: 260,
    group: Group::All,
    setup: |_, _| {},
    play: |bed| Box::pin(play(bed)),
};

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("dead-task", 0)).await
}
