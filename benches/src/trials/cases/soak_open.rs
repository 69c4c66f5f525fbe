//! Open-loop arrivals at 1.4 times the capacity for half an hour.

use super::{Case, Group, patient, saturation};
use crate::load::Transport;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "soak-open",
    what: "Open-loop arrivals at 1.4 times the capacity for half an hour.",
    clients: &[patient(Transport::NewConnection)],
    expected: saturation::NOTHING,
    seconds: 1800,
    group: Group::Soak,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    saturation::setup(spec, 4);
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    saturation::open(bed, 1.4, 1800).await
}
