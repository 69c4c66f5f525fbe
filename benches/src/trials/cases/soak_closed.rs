//! 40 closed-loop clients with a short timeout for half an hour.

use super::{TrialCase, Group, saturation, short_timeout};
use crate::load::Transport;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "soak-closed",
    what: "40 closed-loop clients with a short timeout for half an hour.",
    clients: &[short_timeout(Transport::KeepAlive)],
    expected: saturation::NOTHING,
    seconds: 1800,
    group: Group::Soak,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    saturation::setup(spec, 4);
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    saturation::closed(bed, 40, 1800).await
}
