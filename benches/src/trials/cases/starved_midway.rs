//! Competing processes leave the app a quarter of its core after a time of usual load.

use std::time::Duration;

use super::{TrialCase, Group, USUAL, long_timeout, short_timeout, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Cpu, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "starved-midway",
    what: "Competing processes leave the app a quarter of its core after a time of usual load.",
    clients: &[
        long_timeout(Transport::KeepAlive),
        short_timeout(Transport::NewConnection),
    ],
    expected: Expected::nothing("a restarted process would be as starved as this one"),
    seconds: 200,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.cpu = Cpu::Shared {
        hogs: 4,
        from_start: false,
    };
    spec.work = Duration::from_millis(4);
    spec.measure_capacity = true;
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    let rate = bed.capacity * 0.5;
    steady(bed, rate, CASE.seconds);
    bed.until(USUAL).await;
    bed.fault_begins();
    bed.start_hogs()?;
    bed.clients.finish().await;
    Ok(())
}
