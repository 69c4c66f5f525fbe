//! A healthy app at a steady rate.

use super::{TrialCase, Group, long_timeout, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "healthy",
    what: "A healthy app at a steady rate.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Http2),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::nothing("nothing is wrong")
        .served()
        .failed_at_most(0),
    seconds: 100,
    group: Group::Ci,
    setup: |_, _| {},
    run: |bed| Box::pin(run(bed)),
};

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    steady(bed, 60.0, CASE.seconds);
    bed.fault_begins();
    bed.clients.finish().await;
    Ok(())
}
