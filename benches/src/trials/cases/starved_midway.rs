//! Competing processes leave the app a quarter of its core in the middle of its work.

use std::time::Duration;

use super::{Case, Group, USUAL, impatient, patient, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Cpu, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "starved-midway",
    what: "Competing processes leave the app a quarter of its core in the middle of its work.",
    clients: &[patient(Transport::KeepAlive), impatient(Transport::NewConnection)],
    expected: Expected::nothing("a restarted process would be as starved as this one"),
    seconds: 200,
    group: Group::All,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.cpu = Cpu::Shared { hogs: 4, from_start: false };
    spec.work = Duration::from_millis(4);
    spec.measure_capacity = true;
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    let rate = bed.capacity * 0.5;
    steady(bed, rate, CASE.seconds);
    bed.until(USUAL).await;
    bed.fault_begins();
    bed.start_hogs()?;
    bed.finish_load().await;
    Ok(())
}
