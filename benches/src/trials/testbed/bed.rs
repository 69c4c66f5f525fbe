//! The testbed of a run, as a case sees it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::Failed;
use super::cgroup::Cgroup;
use super::child::Child;
use super::doctor::Setup;
use super::journal::{self, Entry};
use super::log::Log;
use super::ports::Ports;
use super::spec::Spec;
use super::wait::until;
use crate::load::{Client, Load, LoadSpec, Segment};
use crate::service::{EventKind, EventLog};
use crate::trials::programs::Programs;
use crate::trials::stub::Stub;

/// What all runs of an invocation have in common, and the clients of this one.
#[derive(Debug, Clone)]
pub(in crate::trials) struct Surroundings {
    pub(in crate::trials) programs: Programs,
    pub(in crate::trials) scale: f64,
    pub(in crate::trials) decider: Option<Stub>,
    pub(in crate::trials) client: Client,
}

/// Cgroups of a run. The order of the fields is the order of their removal.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) app: Vec<Cgroup>,
    pub(super) competitors: Option<Cgroup>,
    pub(super) parent: Option<Cgroup>,
}

/// Target of the load.
#[derive(Debug, Clone)]
pub(super) struct Clients {
    pub(super) port: u16,
    pub(super) client: Client,
    pub(super) paths: Vec<String>,
}

/// Everything that runs. Dropping it ends it: the load, the processes, the cgroups, the directory, in
/// the order of these fields.
#[derive(Debug)]
pub(in crate::trials) struct Bed {
    pub(super) load: Option<Load>,
    pub(super) children: Vec<Child>,
    pub(super) doctor: Option<JoinHandle<()>>,
    pub(super) groups: Groups,
    /// State directory of the doctor.
    pub(super) state: PathBuf,
    pub(super) events: EventLog,
    pub(super) directory: TempDir,
    /// Measured capacity, in requests per second.
    pub(in crate::trials) capacity: f64,
    pub(super) fault_at: Option<SystemTime>,
    pub(super) end: Duration,
    pub(super) problems: Vec<String>,
    pub(super) clients: Clients,
    pub(super) surroundings: Surroundings,
    pub(super) setup: Setup,
    pub(super) spec: Spec,
    pub(super) ports: Ports,
    pub(super) log: Log,
    pub(super) http: reqwest::Client,
}

impl Bed {
    /// Returns a duration at this time scale.
    pub(in crate::trials) fn seconds(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds / self.surroundings.scale)
    }

    /// Returns a rate at this time scale, which raises what the scale does not shorten.
    pub(in crate::trials) fn per_second(&self, rate: u32) -> u64 {
        let at_scale = self.seconds(1.0).as_millis().max(1);
        u64::try_from(u128::from(rate) * 1000 / at_scale).unwrap_or(u64::MAX)
    }

    /// Starts the load.
    pub(in crate::trials) fn start_load(&mut self, segments: Vec<Segment>) {
        self.end = segments.iter().map(|segment| segment.duration).sum();
        let spec = LoadSpec {
            port: self.clients.port,
            client: self.clients.client,
            paths: self.clients.paths.clone(),
        };
        self.load = Some(Load::start(spec, segments));
    }

    /// Waits until this many seconds (at scale 1) after the start of the load.
    pub(in crate::trials) async fn until(&self, seconds: f64) {
        if let Some(load) = &self.load {
            let at = load.recorder().start() + self.seconds(seconds);
            tokio::time::sleep_until(at.into()).await;
        }
    }

    /// Waits until the load has ended.
    pub(in crate::trials) async fn finish_load(&mut self) {
        if let Some(load) = &mut self.load {
            load.finish().await;
        }
    }

    /// Notes that the fault begins at this moment.
    pub(in crate::trials) fn fault_begins(&mut self) {
        self.fault_at = Some(SystemTime::now());
    }

    /// Injects a fault, which begins at this moment.
    pub(in crate::trials) async fn inject(&mut self, name: &str, value: u64) -> Result<(), Failed> {
        self.fault_begins();
        self.inject_again(name, value).await
    }

    /// Injects a fault without a new beginning.
    pub(in crate::trials) async fn inject_again(
        &self,
        name: &str,
        value: u64,
    ) -> Result<(), Failed> {
        let port = self.ports.control;
        let url = format!("http://127.0.0.1:{port}/faults/{name}/{value}");
        let sent = self.http.post(url).send().await;
        match sent {
            Ok(response) if response.status().is_success() => Ok(()),
            // It ends the process before the response.
            Err(_) if name == "crash" => Ok(()),
            Ok(response) => Err(format!("the fault {name} answered {}", response.status()).into()),
            Err(error) => Err(format!("the fault {name} cannot be injected: {error}").into()),
        }
    }

    /// Returns the number of the app's starts so far.
    pub(in crate::trials) fn starts(&self) -> usize {
        let events = self.events.read();
        let starts = events.iter().filter(|event| event.kind == EventKind::Start);
        starts.count()
    }

    /// Notes something that is wrong beyond the expectation.
    pub(in crate::trials) fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// Reports if the app's care port says that it is ready.
    pub(in crate::trials) async fn ready(&self) -> bool {
        // The front door counts: the service that measures the capacity has another care port.
        let url = format!("http://127.0.0.1:{}/readyz", self.ports.app);
        let answer = self.http.get(url).timeout(Duration::from_secs(1));
        matches!(answer.send().await, Ok(response) if response.status().is_success())
    }

    /// Returns the process of the app's current instance.
    pub(in crate::trials) fn app_pid(&self) -> Option<i32> {
        let events = self.events.read();
        let mut starts = events.iter().filter(|event| event.kind == EventKind::Start);
        i32::try_from(starts.next_back()?.pid).ok()
    }

    /// Returns the process of the current doctor.
    pub(in crate::trials) fn doctor_pid(&self) -> Option<i32> {
        self.log.doctor_pid()
    }

    /// Returns the number of the doctor's exits with 88 so far.
    pub(in crate::trials) fn restarts(&self) -> usize {
        self.log.restarts().len()
    }

    /// Returns the journal so far.
    pub(super) fn journal(&self) -> Vec<Entry> {
        journal::read(&self.state)
    }

    /// Waits for a journal entry of this kind that was written after the fault.
    pub(in crate::trials) async fn wait_for_entry(&self, kind: &str, seconds: f64) -> bool {
        let since = self.fault_at;
        let seen = until(kind, self.seconds(seconds), async || {
            let entries = self.journal();
            let seen = entries
                .iter()
                .any(|entry| entry.is(kind) && since.is_none_or(|since| entry.at >= since));
            seen.then_some(())
        });
        seen.await.is_ok()
    }

    /// Waits for that many exits with 88.
    pub(in crate::trials) async fn wait_for_restarts(&self, number: usize, seconds: f64) -> bool {
        let seen = until("a restart", self.seconds(seconds), async || {
            (self.restarts() >= number).then_some(())
        });
        seen.await.is_ok()
    }

    /// Waits until the app is ready.
    pub(in crate::trials) async fn wait_for_ready(&self, seconds: f64) -> bool {
        let seen = until("readiness", self.seconds(seconds), async || {
            self.ready().await.then_some(())
        });
        seen.await.is_ok()
    }

    /// Returns a field of the doctor's `/status`.
    pub(in crate::trials) async fn status(&self, field: &str) -> Option<serde_json::Value> {
        let url = format!("http://127.0.0.1:{}/status", self.ports.sidecar);
        let text = self.http.get(url).send().await.ok()?.text().await.ok()?;
        let status: serde_json::Value = serde_json::from_str(&text).ok()?;
        status.get(field).cloned()
    }
}
