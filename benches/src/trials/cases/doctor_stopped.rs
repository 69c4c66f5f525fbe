//! The doctor is stopped by SIGSTOP for 20 s.

use rustix::process::Signal;

use super::{TrialCase, Group, USUAL, long_timeout, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError, signal_process};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "doctor-stopped",
    what: "The doctor is stopped by SIGSTOP for 20 s.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::Nginx),
    ],
    expected: Expected::nothing("only the doctor was stopped")
        .served()
        .failed_at_most(0),
    seconds: 150,
    group: Group::All,
    setup: |_, _| {},
    run: |bed| Box::pin(run(bed)),
};

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    steady(bed, 20.0, CASE.seconds);
    bed.until(USUAL).await;
    bed.fault_begins();
    let doctor = bed.observer.doctor_pid();
    signal_process(doctor, Signal::STOP)?;
    bed.until(USUAL + 20.0).await;
    signal_process(doctor, Signal::CONT)?;
    bed.clients.finish().await;
    Ok(())
}
