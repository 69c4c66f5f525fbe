//! Two pods share a state directory with a budget of one restart; each app hangs 20 s after every start.

use std::time::Duration;

use super::{Case, Group, patient, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "two-doctors",
    what: "Two pods share a state directory with a budget of one restart; each app hangs 20 s \
           after every start.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Nginx)],
    expected: Expected::restart(90, "the budget holds for the state directory, whoever acts")
        .soft_heals(0, 0)
        .not_served(),
    seconds: 240,
    group: Group::All,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, scale: f64) {
    let delay = Duration::from_secs_f64(20.0 / scale).as_millis();
    spec.service_args = vec![format!("--wedge-after={delay}ms")];
    spec.policy = vec![("permission.budget", toml::Value::Integer(1))];
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    bed.start_second_pod().await?;
    steady(bed, 20.0, CASE.seconds);
    bed.fault_begins();
    bed.finish_load().await;
    Ok(())
}
