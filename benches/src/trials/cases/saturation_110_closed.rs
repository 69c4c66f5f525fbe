//! 22 closed-loop clients, who keep the app at its capacity.

use super::{Case, Group, impatient, patient, saturation};
use crate::load::Transport;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "saturation-110-closed",
    what: "22 closed-loop clients, who keep the app at its capacity.",
    clients: &[patient(Transport::KeepAlive), impatient(Transport::Nginx)],
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
    saturation::closed(bed, 22, saturation::SECONDS).await
}
