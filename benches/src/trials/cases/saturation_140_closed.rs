//! 28 closed-loop clients, which keep the app at its capacity.

use super::{TrialCase, Group, long_timeout, saturation, short_timeout};
use crate::load::Transport;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "saturation-140-closed",
    what: "28 closed-loop clients, which keep the app at its capacity.",
    clients: &[
        long_timeout(Transport::NewConnection),
        short_timeout(Transport::Http2),
    ],
    expected: saturation::NOTHING,
    seconds: saturation::SECONDS,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    saturation::setup(spec, 1);
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    saturation::closed(bed, 28, saturation::SECONDS).await
}
