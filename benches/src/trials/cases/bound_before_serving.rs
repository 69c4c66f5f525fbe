//! The care thread starts, and the port is bound, 40 s before the app serves the port.

use std::time::Duration;

use super::{TrialCase, Group, long_timeout, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError, Spec};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "bound-before-serving",
    what: "The care thread starts, and the port is bound, 40 s before the app serves the port.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::nothing("the app is starting, and a restart would only repeat the start")
        .served(),
    seconds: 160,
    group: Group::All,
    setup,
    run: |bed| Box::pin(run(bed)),
};

fn setup(spec: &mut Spec, scale: f64) {
    let delay = Duration::from_secs_f64(40.0 / scale).as_millis();
    spec.service_args = vec![
        "--care-first".to_owned(),
        format!("--serve-delay={delay}ms"),
    ];
    spec.wait_until_ready = false;
}

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    steady(bed, 20.0, CASE.seconds);
    bed.fault_begins();
    bed.clients.finish().await;
    Ok(())
}
