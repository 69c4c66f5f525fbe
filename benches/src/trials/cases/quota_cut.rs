//! The CFS quota is cut from 0.8 to 0.25 core under an unchanged load.

use std::time::Duration;

use super::{TrialCase, Group, USUAL, long_timeout, short_timeout, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Cpu, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "quota-cut",
    what: "The CFS quota is cut from 0.8 to 0.25 core under an unchanged load.",
    clients: &[
        long_timeout(Transport::NewConnection),
        short_timeout(Transport::Http2),
    ],
    expected: Expected::nothing("the quota is the cause, and a restart does not raise it"),
    seconds: 200,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.cpu = Cpu::Quota(0.8);
    spec.work = Duration::from_millis(4);
    spec.measure_capacity = true;
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    let rate = bed.capacity * 0.5;
    steady(bed, rate, CASE.seconds);
    bed.until(USUAL).await;
    bed.groups.set_app_quota(0.25)?;
    bed.fault_begins();
    bed.clients.finish().await;
    Ok(())
}
