//! The care thread starts and the port is bound 40 s before the app serves it.

use std::time::Duration;

use super::{Case, Group, patient, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed, Spec};

/// The case.
pub(super) static CASE: Case = Case {
    name: "bound-before-serving",
    what: "The care thread starts and the port is bound 40 s before the app serves it.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Nginx)],
    expected: Expected::nothing(
        "the app is starting, and a restart would only start it again",
    ).served(),
    seconds: 160,
    group: Group::All,
    setup,
    play: |bed| Box::pin(play(bed)),
};

fn setup(spec: &mut Spec, scale: f64) {
    let delay = Duration::from_secs_f64(40.0 / scale).as_millis();
    spec.service_args = vec!["--care-first".to_owned(), format!("--serve-delay={delay}ms")];
    spec.wait_until_ready = false;
}

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    steady(bed, 20.0, CASE.seconds);
    bed.fault_begins();
    bed.finish_load().await;
    Ok(())
}
