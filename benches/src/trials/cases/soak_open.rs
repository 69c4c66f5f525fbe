//! Open-loop arrivals at 1.4 times the capacity for half an hour.

use super::{TrialCase, Group, long_timeout, saturation};
use crate::load::Transport;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "soak-open",
    what: "Open-loop arrivals at 1.4 times the capacity for half an hour.",
    clients: &[long_timeout(Transport::NewConnection)],
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
    saturation::open(bed, 1.4, 1800).await
}
