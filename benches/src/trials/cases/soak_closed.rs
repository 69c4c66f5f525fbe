//! Many impatient closed-loop clients for half an hour.

use super::{Case, Group, impatient, saturation};
use crate::load::Transport;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "soak-closed",
    what: "Many impatient closed-loop clients for half an hour.",
    clients: &[impatient(Transport::KeepAlive)],
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
    saturation::closed(bed, 40, 1800).await
}
