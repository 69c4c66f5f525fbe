//! 40 closed-loop clients, which keep the app at its capacity.

use super::{TrialCase, Group, long_timeout, saturation, short_timeout};
use crate::load::Transport;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "saturation-200-closed",
    what: "40 closed-loop clients, which keep the app at its capacity.",
    clients: &[
        short_timeout(Transport::KeepAlive),
        long_timeout(Transport::Nginx),
    ],
    expected: saturation::NOTHING,
    seconds: saturation::SECONDS,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    saturation::setup(spec, 4);
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    saturation::closed(bed, 40, saturation::SECONDS).await
}
