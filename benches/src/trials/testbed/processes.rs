//! Child processes of a run.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::child::Child;

/// Time from SIGTERM to SIGKILL.
const GRACE: Duration = Duration::from_secs(6);

/// Child processes of a run; dropping them kills them.
#[derive(Debug, Default)]
pub(super) struct Processes {
    children: Vec<Child>,
    doctor: Option<JoinHandle<()>>,
}

impl Processes {
    /// Adds a child.
    pub(super) fn add(&mut self, child: Child) {
        self.children.push(child);
    }

    /// Adds the task that runs a doctor without a pod.
    pub(super) fn add_doctor(&mut self, doctor: JoinHandle<()>) {
        self.doctor = Some(doctor);
    }

    /// Stops every process by SIGTERM, and kills those that do not exit in time.
    pub(super) async fn stop(&mut self) {
        if let Some(doctor) = self.doctor.take() {
            doctor.abort();
        }
        for child in &mut self.children {
            tracing::debug!(child = child.name(), "stop");
            child.stop(GRACE).await;
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        if let Some(doctor) = &self.doctor {
            doctor.abort();
        }
    }
}
