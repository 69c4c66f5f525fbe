//! Open-loop arrivals at 1.4 times the capacity.

use super::{TrialCase, Group, long_timeout, saturation, short_timeout};
use crate::load::Transport;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "saturation-140-open",
    what: "Open-loop arrivals at 1.4 times the capacity.",
    clients: &[
        long_timeout(Transport::Http2),
        short_timeout(Transport::NewConnection),
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
    saturation::open(bed, 1.4, saturation::SECONDS).await
}
