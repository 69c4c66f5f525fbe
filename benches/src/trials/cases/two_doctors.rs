//! Two pods share a state directory with a budget of one restart; each app becomes unresponsive 20 s after
//! every start.

use std::time::Duration;

use super::{TrialCase, Group, long_timeout, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "two-doctors",
    what: "Two pods share a state directory with a budget of one restart; each app becomes \
           unresponsive 20 s after every start.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::restart(
        90,
        "the budget belongs to the state directory, so both doctors share it",
    )
    .soft_heals(0, 0)
    .not_served(),
    seconds: 240,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, scale: f64) {
    let delay = Duration::from_secs_f64(20.0 / scale).as_millis();
    spec.service_args = vec![format!("--wedge-after={delay}ms")];
    spec.policy = vec![("permission.budget", toml::Value::Integer(1))];
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    bed.start_second_pod()?;
    steady(bed, 20.0, CASE.seconds);
    bed.fault_begins();
    bed.clients.finish().await;
    Ok(())
}
