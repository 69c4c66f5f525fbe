//! Competing processes leave the app a quarter of a core from its first second, which is less than the
//! load needs.

use std::time::Duration;

use super::{TrialCase, Group, long_timeout, short_timeout, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Cpu, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "starved-from-start",
    what: "Competing processes leave the app a quarter of a core from its first second, \
           which is less than the load needs.",
    clients: &[
        long_timeout(Transport::NewConnection),
        short_timeout(Transport::KeepAlive),
    ],
    expected: Expected::nothing("a restarted process would be as starved as this one"),
    seconds: 160,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.cpu = Cpu::Shared {
        hogs: 4,
        from_start: true,
    };
    spec.work = Duration::from_millis(4);
    spec.measure_capacity = true;
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    let rate = bed.capacity * 1.8;
    steady(bed, rate, CASE.seconds);
    bed.fault_begins();
    bed.clients.finish().await;
    Ok(())
}
