//! What a case does to the processes and files of a run, apart from faults and load.

use std::time::Duration;

use rustix::process::Signal;

use super::Failed;
use super::bed::{Bed, Groups};
use super::child::signal;
use super::ports::Ports;
use super::start::service_args;

impl Bed {
    /// Sets the app's CPU quota, in cores.
    pub(in crate::trials) fn set_quota(&self, cores: f64) -> Result<(), Failed> {
        let group = self.groups.app.first();
        let group = group.ok_or_else(|| "the app has no CPU group".to_owned())?;
        group.set_quota(cores)
    }

    /// Replaces the content of the doctor's state file.
    pub(in crate::trials) fn tear_state_file(&self) -> Result<(), Failed> {
        let path = self.state.join("state.json");
        let content = std::fs::read(&path)?;
        let half = content.len() / 2;
        std::fs::write(&path, content.get(..half).unwrap_or_default())?;
        Ok(())
    }

    /// Sends a signal to one of the run's processes.
    pub(in crate::trials) fn signal(&self, pid: Option<i32>, which: Signal) -> Result<(), Failed> {
        let pid = pid.ok_or_else(|| "there is no such process".to_owned())?;
        signal(pid, which);
        Ok(())
    }

    /// Runs the operator's command with the run's state directory.
    pub(in crate::trials) async fn healing(&self, args: &[&str]) -> Result<bool, Failed> {
        let status = tokio::process::Command::new(&self.setup.programs.healing)
            .args(args)
            .arg("--state-dir")
            .arg(&self.state)
            .stdout(std::process::Stdio::null())
            .status()
            .await?;
        Ok(status.success())
    }

    /// Starts a second pod, of the same kind, on the same state directory.
    pub(in crate::trials) async fn start_second_pod(&mut self) -> Result<(), Failed> {
        let ports = Ports::free()?;
        let mut setup = self.setup.clone();
        let events = self.directory.path().join("second-events");
        let scale = self.surroundings.scale;
        setup.service = service_args(&self.spec, scale, ports, &Groups::default(), Some(&events));
        let pod = setup.pod(ports, &self.state, &self.log)?;
        self.children.push(pod);
        Ok(())
    }

    /// Stops every process in order. Stopped ones are continued first.
    pub(in crate::trials) async fn stop(&mut self) {
        for pid in [self.app_pid(), self.doctor_pid()].into_iter().flatten() {
            signal(pid, Signal::CONT);
        }
        self.load = None;
        if let Some(doctor) = self.doctor.take() {
            doctor.abort();
        }
        for child in &mut self.children {
            tracing::debug!(child = child.name(), "stop");
            child.stop(Duration::from_secs(6)).await;
        }
    }

    /// Copies logs and state below this directory.
    pub(in crate::trials) fn keep(&self, directory: &std::path::Path) -> std::io::Result<()> {
        std::fs::create_dir_all(directory)?;
        for name in ["log", "events", "healing.toml"] {
            let from = self.directory.path().join(name);
            if from.exists() {
                std::fs::copy(from, directory.join(name))?;
            }
        }
        for entry in std::fs::read_dir(&self.state)?.flatten() {
            if entry.path().is_file() {
                std::fs::copy(entry.path(), directory.join(entry.file_name()))?;
            }
        }
        Ok(())
    }
}
