//! Descriptors leak under a limit of 256.

use std::time::Duration;

use super::{Case, Group, fault_after_usual_load, patient};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "descriptor-exhaustion",
    what: "Descriptors leak under a limit of 256.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Nginx)],
    expected: Expected::restart(260, "the limit will be hit, and a restart closes the descriptors").soft_heals(0, 1),
    seconds: 340,
    group: Group::All,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.service_args = vec!["--max-descriptors=256".to_owned()];
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    let mut per_second = 1;
    while bed.seconds(1.0) * per_second < bed.seconds(1.0).max(Duration::from_secs(1)) {
        per_second += 1;
    }
    let leak = u64::from(per_second);
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("leak-descriptors", leak)).await
}
