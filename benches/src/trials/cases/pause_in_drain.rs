//! `healing pause` comes while the doctor drains the app for a restart.

use std::time::Duration;

use super::{Case, Group, USUAL, patient, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "pause-in-drain",
    what: "`healing pause` comes while the doctor drains the app for a restart.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Nginx)],
    expected: Expected::nothing("an operator who pauses means at once").soft_heals(0, 2),
    seconds: 300,
    group: Group::All,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, scale: f64) {
    let settle = Duration::from_secs_f64(12.0 / scale).as_millis();
    spec.settings = vec![("drain_settle", format!("{settle}ms"))];
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    steady(bed, 20.0, CASE.seconds);
    bed.until(USUAL).await;
    bed.inject("dead-task", 0).await?;
    if !bed.wait_for_entry("intent", 200.0).await {
        bed.problem("no drain began");
    } else if !bed.healing(&["pause", "--reason", "trial"]).await? {
        bed.problem("`healing pause` failed");
    } else if !bed.wait_for_ready(20.0).await {
        bed.problem("the app stayed drained");
    }
    bed.finish_load().await;
    Ok(())
}
