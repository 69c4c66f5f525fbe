//! 40 closed-loop clients, who keep the app at its capacity.

use super::{Case, Group, impatient, patient, saturation};
use crate::load::Transport;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "saturation-200-closed",
    what: "40 closed-loop clients, who keep the app at its capacity.",
    clients: &[impatient(Transport::KeepAlive), patient(Transport::Nginx)],
    expected: saturation::NOTHING,
    seconds: saturation::SECONDS,
    group: Group::All,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    saturation::setup(spec, 4);
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    saturation::closed(bed, 40, saturation::SECONDS).await
}
