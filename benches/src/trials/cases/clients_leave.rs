//! Responses take longer than the clients wait: all of them leave.

use super::{Case, Group, fault_after_usual_load, impatient};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed};

/// The case.
pub(super) static CASE: Case = Case {
    name: "clients-leave",
    what: "Responses take longer than the clients wait: all of them leave.",
    clients: &[impatient(Transport::NewConnection), impatient(Transport::KeepAlive)],
    expected: Expected::restart(
        150,
        "the app has served these clients before, and its own state is the cause",
    ),
    seconds: 240,
    group: Group::All,
    setup: |_, _| {},
    play: |bed| Box::pin(play(bed)),
};

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    let twice = bed.seconds(6.0).as_millis();
    let twice = u64::try_from(twice).unwrap_or(u64::MAX);
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("slow", twice)).await
}
