//! One route with 5 % of the traffic fails.

use super::{TrialCase, Group, fault_after_usual_load, long_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "failing-route",
    what: "One route with 5 % of the traffic fails.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Http2),
    ],
    expected: Expected::nothing(
        "95 % of the traffic is served, and a restart would cost more requests than it can save",
    )
    .soft_heals(0, 2),
    seconds: 240,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, _: f64) {
    spec.paths = vec!["/".to_owned(); 19];
    spec.paths.push("/other".to_owned());
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("route", 100)).await
}
