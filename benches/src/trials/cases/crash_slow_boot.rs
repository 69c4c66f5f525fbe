//! The app crashes, and its next start takes 40 s from binding the port to serving it.

use std::time::Duration;

use super::{Case, Group, fault_after_usual_load, patient};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "crash-slow-boot",
    what: "The app crashes, and its next start takes 40 s from binding the port to serving it.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Nginx)],
    expected: Expected::nothing("the supervisor has restarted the app already").served(),
    seconds: 200,
    group: Group::All,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, scale: f64) {
    let delay = Duration::from_secs_f64(40.0 / scale).as_millis();
    spec.service_args = vec![format!("--restart-delay={delay}ms")];
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("crash", 0)).await?;
    match bed.status("budget_remaining").await {
        Some(budget) if budget == 3 => {}
        other => bed.problem(format!("the budget is not full: {other:?}")),
    }
    Ok(())
}
