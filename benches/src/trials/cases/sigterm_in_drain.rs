//! The doctor, which nobody restarts, gets SIGTERM while it drains the app.

use std::time::Duration;

use rustix::process::Signal;

use super::{Case, Group, USUAL, patient, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed, Spec, Supervision};

/// The case.
pub(super) static CASE: Case = Case {
    name: "sigterm-in-drain",
    what: "The doctor, which nobody restarts, gets SIGTERM while it drains the app.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Nginx)],
    expected: Expected::nothing(
        "a doctor that leaves puts the app back into service",
    ).soft_heals(0, 2),
    seconds: 300,
    group: Group::Ci,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, scale: f64) {
    let settle = Duration::from_secs_f64(12.0 / scale).as_millis();
    spec.settings = vec![("drain_settle", format!("{settle}ms"))];
    spec.supervision = Supervision::Nobody;
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    steady(bed, 20.0, CASE.seconds);
    bed.until(USUAL).await;
    bed.inject("dead-task", 0).await?;
    if bed.wait_for_entry("intent", 200.0).await {
        // The drain itself is the next step.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let doctor = bed.doctor_pid();
        bed.signal(doctor, Signal::TERM)?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        if !bed.ready().await {
            bed.problem("the app is still drained 2 s later");
        }
    } else {
        bed.problem("no drain began");
    }
    bed.finish_load().await;
    Ok(())
}
