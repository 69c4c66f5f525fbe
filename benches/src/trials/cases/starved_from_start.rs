//! Competing processes leave the app a quarter of a core from its first second; more arrives than it can
//! serve.

use std::time::Duration;

use super::{Case, Group, impatient, patient, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Cpu, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "starved-from-start",
    what: "Competing processes leave the app a quarter of a core from its first second; more \
           arrives than it can serve.",
    clients: &[patient(Transport::NewConnection), impatient(Transport::KeepAlive)],
    expected: Expected::nothing("a restarted process would be as starved as this one"),
    seconds: 160,
    group: Group::All,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.cpu = Cpu::Shared { hogs: 4, from_start: true };
    spec.work = Duration::from_millis(4);
    spec.measure_capacity = true;
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    let rate = bed.capacity * 1.8;
    steady(bed, rate, CASE.seconds);
    bed.fault_begins();
    bed.finish_load().await;
    Ok(())
}
