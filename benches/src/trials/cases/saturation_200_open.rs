//! Open-loop arrivals at 2.0 times the capacity.

use super::{Case, Group, impatient, patient, saturation};
use crate::load::Transport;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "saturation-200-open",
    what: "Open-loop arrivals at 2.0 times the capacity.",
    clients: &[patient(Transport::Nginx), impatient(Transport::NewConnection)],
    expected: saturation::NOTHING,
    seconds: saturation::SECONDS,
    group: Group::Ci,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    saturation::setup(spec, 4);
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    saturation::open(bed, 2.0, saturation::SECONDS).await
}
