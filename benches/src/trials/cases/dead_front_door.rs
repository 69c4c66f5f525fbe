//! The task that serves the port has ended, while the process and its care port live.

use super::{Case, Group, fault_after_usual_load, patient};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed};

/// The case.
pub(super) static CASE: Case = Case {
    name: "dead-front-door",
    what: "The task that serves the port has ended, while the process and its care port live.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Nginx)],
    expected: Expected::restart(
        60,
        "nobody restarts a process that lives, and no client gets in",
    ).soft_heals(0, 0),
    seconds: 160,
    group: Group::Ci,
    setup: |_, _| {},
    play: |bed| Box::pin(play(bed)),
};

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("front-door", 0)).await
}
