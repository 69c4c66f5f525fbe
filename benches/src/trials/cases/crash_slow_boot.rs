//! The app crashes, and at its next start it serves the port 40 s after it has bound it.

use std::time::Duration;

use super::{TrialCase, Group, fault_after_usual_load, long_timeout};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "crash-slow-boot",
    what: "The app crashes, and at its next start it serves the port 40 s after it has bound it.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::nothing("the supervisor has restarted the app already").served(),
    seconds: 200,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, scale: f64) {
    let delay = Duration::from_secs_f64(40.0 / scale).as_millis();
    spec.service_args = vec![format!("--restart-delay={delay}ms")];
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    fault_after_usual_load(bed, 20.0, CASE.seconds, ("crash", 0)).await?;
    match bed.endpoints.doctor_status("budget_remaining").await {
        Some(budget) if budget == 3 => {}
        other => bed.problem(format!("the budget is not full: {other:?}")),
    }
    Ok(())
}
