//! All permits of a pool have leaked, so every request waits forever.

use super::{TrialCase, Group, fault_after_usual_load, long_timeout, short_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "pool-leak",
    what: "All permits of a pool have leaked, so every request waits forever.",
    clients: &[
        short_timeout(Transport::KeepAlive),
        long_timeout(Transport::NewConnection),
    ],
    expected: Expected::restart(
        120,
        "no request makes progress, and a restart returns the permits",
    ),
    seconds: 220,
    group: Group::All,
    setup: |_, _| {},
    run: |bed| Box::pin(run(bed)),
};

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    bed.endpoints.inject("pool", 20).await?;
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("pool-leak", 10)).await
}
