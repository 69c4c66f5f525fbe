//! The app is stopped by SIGSTOP for 8 s.

use rustix::process::Signal;

use super::{Case, Group, USUAL, patient, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, Failed};

/// The case.
pub(super) static CASE: Case = Case {
    name: "app-stopped",
    what: "The app is stopped by SIGSTOP for 8 s.",
    clients: &[patient(Transport::NewConnection), patient(Transport::KeepAlive)],
    expected: Expected::nothing("the app comes back by itself before it counts as hung").served(),
    seconds: 150,
    group: Group::Ci,
    setup: |_, _| {},
    play: |bed| Box::pin(play(bed)),
};

async fn play(bed: &mut Bed) -> Result<(), Failed> {
    steady(bed, 20.0, CASE.seconds);
    bed.until(USUAL).await;
    bed.fault_begins();
    let app = bed.app_pid();
    bed.signal(app, Signal::STOP)?;
    bed.until(USUAL + 8.0).await;
    bed.signal(app, Signal::CONT)?;
    bed.finish_load().await;
    Ok(())
}
