//! A doctor without a supervisor gets SIGTERM while it drains the app.

use std::time::Duration;

use rustix::process::Signal;

use super::{TrialCase, Group, USUAL, long_timeout, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError, Spec, Supervision, signal_process};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "sigterm-in-drain",
    what: "A doctor without a supervisor gets SIGTERM while it drains the app.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::nothing("a doctor that exits cancels the drain").soft_heals(0, 2),
    seconds: 300,
    group: Group::Ci,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, scale: f64) {
    let settle = Duration::from_secs_f64(12.0 / scale).as_millis();
    spec.settings = vec![("drain_settle", format!("{settle}ms"))];
    spec.supervision = Supervision::Absent;
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    steady(bed, 20.0, CASE.seconds);
    bed.until(USUAL).await;
    bed.inject("dead-task", 0).await?;
    if bed.wait_for_entry("intent", 200.0).await {
        // The drain begins just after the entry.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let doctor = bed.observer.doctor_pid();
        signal_process(doctor, Signal::TERM)?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        if !bed.endpoints.app_is_ready().await {
            bed.problem("the app is still drained 2 s later");
        }
    } else {
        bed.problem("no drain began");
    }
    bed.clients.finish().await;
    Ok(())
}
