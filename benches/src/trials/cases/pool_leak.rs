//! All permits of a pool have leaked: every request waits for ever.

use super::{Case, Group, fault_after_usual_load, impatient, patient};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed};

/// The case.
pub(super) static CASE: Case = Case {
    name: "pool-leak",
    what: "All permits of a pool have leaked: every request waits for ever.",
    clients: &[impatient(Transport::KeepAlive), patient(Transport::NewConnection)],
    expected: Expected::restart(
        120,
        "no request makes progress, and a restart gives the permits back",
    ),
    seconds: 220,
    group: Group::All,
    setup: |_, _| {},
    play: |bed| Box::pin(play(bed)),
};

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    bed.inject_again("pool", 20).await?;
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("pool-leak", 10)).await
}
