//! The app is stopped by SIGSTOP for 8 s.

use rustix::process::Signal;

use super::{TrialCase, Group, USUAL, long_timeout, steady};
use crate::load::Transport;
use crate::trials::expected::Expected;
use crate::trials::testbed::{Bed, RunError, signal_process};

/// Definition of the case.
pub(super) static CASE: TrialCase = TrialCase {
    name: "app-stopped",
    what: "The app is stopped by SIGSTOP for 8 s.",
    clients: &[
        long_timeout(Transport::NewConnection),
        long_timeout(Transport::KeepAlive),
    ],
    expected: Expected::nothing("the app continues before it counts as hung").served(),
    seconds: 150,
    group: Group::Ci,
    setup: |_, _| {},
    run: |bed| Box::pin(run(bed)),
};

async fn run(bed: &mut Bed) -> Result<(), RunError> {
    steady(bed, 20.0, CASE.seconds);
    bed.until(USUAL).await;
    bed.fault_begins();
    let app = bed.observer.app_pid();
    signal_process(app, Signal::STOP)?;
    bed.until(USUAL + 8.0).await;
    signal_process(app, Signal::CONT)?;
    bed.clients.finish().await;
    Ok(())
}
