//! One route, 5 % of the traffic, fails.

use super::{Case, Group, fault_after_usual_load, patient};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "failing-route",
    what: "One route, 5 % of the traffic, fails.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Http2)],
    expected: Expected::nothing(
        "95 % of the traffic is served; a restart would cost more than it can give",
    )
        .soft_heals(0, 2),
    seconds: 240,
    group: Group::All,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.paths = vec!["/".to_owned(); 19];
    spec.paths.push("/other".to_owned());
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("route", 100)).await
}
