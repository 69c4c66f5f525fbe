//! The doctor is stopped by SIGSTOP for 20 s.

use rustix::process::Signal;

use super::{Case, Group, USUAL, patient, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed};

/// The case.
pub(super) static CASE: Case = Case {
    name: "doctor-stopped",
    what: "The doctor is stopped by SIGSTOP for 20 s.",
    clients: &[patient(Transport::NewConnection), patient(Transport::Nginx)],
    expected: Expected::nothing("only the doctor was away").served().failed_at_most(0),
    seconds: 150,
    group: Group::All,
    setup: |_, _| {},
    play: |bed| Box::pin(play(bed)),
};

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    steady(bed, 20.0, CASE.seconds);
    bed.until(USUAL).await;
    bed.fault_begins();
    let doctor = bed.doctor_pid();
    bed.signal(doctor, Signal::STOP)?;
    bed.until(USUAL + 20.0).await;
    bed.signal(doctor, Signal::CONT)?;
    bed.finish_load().await;
    Ok(())
}
