//! The operator runs `healing pause` while the doctor drains the app for a restart.

use std::time::Duration;

use super::{TrialCase, Group, USUAL, long_timeout, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "pause-in-drain",
    what: "The operator runs `healing pause` while the doctor drains the app for a restart.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::nothing("a pause takes effect at once").soft_heals(0, 2),
    seconds: 300,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, scale: f64) {
    let settle = Duration::from_secs_f64(12.0 / scale).as_millis();
    spec.settings = vec![("drain_settle", format!("{settle}ms"))];
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    steady(bed, 20.0, CASE.seconds);
    bed.until(USUAL).await;
    bed.inject("dead-task", 0).await?;
    if !bed.wait_for_entry("intent", 200.0).await {
        bed.problem("no drain began");
    } else if !bed
        .launcher
        .healing(&["pause", "--reason", "trial"])
        .await?
    {
        bed.problem("`healing pause` failed");
    } else if !bed.wait_for_ready(20.0).await {
        bed.problem("the app stayed drained");
    }
    bed.clients.finish().await;
    Ok(())
}
