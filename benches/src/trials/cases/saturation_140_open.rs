//! Open-loop arrivals at 1.4 times the capacity.

use super::{Case, Group, impatient, patient, saturation};
use crate::load::Transport;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "saturation-140-open",
    what: "Open-loop arrivals at 1.4 times the capacity.",
    clients: &[patient(Transport::Http2), impatient(Transport::NewConnection)],
    expected: saturation::NOTHING,
    seconds: saturation::SECONDS,
    group: Group::All,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    saturation::setup(spec, 1);
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    saturation::open(bed, 1.4, saturation::SECONDS).await
}
