//! Open-loop arrivals at 2.0 times the capacity.

use super::{TrialCase, Group, long_timeout, saturation, short_timeout};
use crate::load::Transport;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "saturation-200-open",
    what: "Open-loop arrivals at 2.0 times the capacity.",
    clients: &[
        long_timeout(Transport::Nginx),
        short_timeout(Transport::NewConnection),
    ],
    expected: saturation::NOTHING,
    seconds: saturation::SECONDS,
    group: Group::Ci,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    saturation::setup(spec, 4);
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    saturation::open(bed, 2.0, saturation::SECONDS).await
}
