//! Responses take longer than the timeout of the clients, so all clients disconnect.

use super::{TrialCase, Group, fault_after_usual_load, short_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "clients-leave",
    what: "Responses take longer than the timeout of the clients, so all clients disconnect.",
    clients: &[
        short_timeout(Transport::NewConnection),
        short_timeout(Transport::KeepAlive),
    ],
    expected: Expected::restart(
        150,
        "the app has served these clients before, and its own state is the cause",
    ),
    seconds: 240,
    group: Group::All,
    setup: |_, _| {},
    run: |bed| Box::pin(run(bed)),
};

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    let delay = bed.seconds(6.0).as_millis();
    let delay = u64::try_from(delay).unwrap_or(u64::MAX);
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("slow", delay)).await
}
