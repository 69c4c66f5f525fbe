//! The budget of one restart is spent, then the doctor is killed and its state file is torn.

use std::time::Duration;

use rustix::process::Signal;

use super::{TrialCase, Group, long_timeout, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError, Spec, signal_process, tear_state_file};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "torn-state",
    what: "The budget of one restart is spent, then the doctor is killed and its state file is torn.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::restart(90, "a budget that cannot be read counts as spent")
        .soft_heals(0, 0)
        .not_served(),
    seconds: 300,
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
    steady(bed, 20.0, CASE.seconds);
    bed.fault_begins();
    if !bed.wait_for_restarts(1, 120.0).await {
        bed.problem("the first restart did not come");
    }
    // The second instance becomes unresponsive too, so it must be ready first.
    let seen = bed.wait_for_ready(30.0).await;
    let doctor = bed.observer.doctor_pid();
    signal_process(doctor, Signal::KILL)?;
    tear_state_file(bed.state_directory())?;
    if !seen {
        bed.problem("the second instance was never ready");
    }
    bed.clients.finish().await;
    Ok(())
}
