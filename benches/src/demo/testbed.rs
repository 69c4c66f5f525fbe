//! Test bed of all running parts: the pod with app and sidecar, the dependency, the load.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use healing_cli::pod::{CommandLine, LocalPod, Output, PodEvent, PodSpec, Role};
use healing_core::health::Health;
use reqwest::header::CONNECTION;
use tempfile::TempDir;
use tokio::process::Child;

use super::load::Load;
use super::log_buffer::LogBuffer;
use super::ports::Ports;
use super::process::{self, Subprocess};
use super::report::ModelVotes;
use super::wait::{WaitTimeout, wait_for};

/// Running test bed.
#[derive(Debug)]
pub struct Testbed {
    /// Ports of all listeners.
    pub ports: Ports,
    /// Output of the children and events of the pod.
    pub logs: LogBuffer,
    /// The load generator.
    pub load: Load,
    program: PathBuf,
    pod: LocalPod,
    events: Arc<Mutex<Vec<(Instant, PodEvent)>>>,
    client: reqwest::Client,
    dependency: Option<Child>,
    directory: TempDir,
}

impl Testbed {
    /// Starts all processes from the demo's own binary, without waiting for them. The load is paused.
    ///
    /// # Errors
    ///
    /// Returns an error if a process cannot be started, or a directory cannot be created.
    pub fn start(program: PathBuf, ports: Ports) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("healing-demo-").tempdir()?;
        let logs = LogBuffer::default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .map_err(|error| io::Error::other(format!("cannot set up the HTTP client: {error}")))?;
        let dependency =
            process::command(&program, Subprocess::Dependency, &ports, directory.path());
        let spec = PodSpec {
            app: process::command(&program, Subprocess::App, &ports, directory.path()),
            sidecar: process::command(&program, Subprocess::Sidecar, &ports, directory.path()),
            time_scale: TIME_SCALE,
            output: Output::Lines(logs.sink()),
        };
        let dependency = Some(spawn(&dependency)?);
        let (pod, mut pod_events) = LocalPod::start(spec)?;
        let events = Arc::new(Mutex::new(Vec::new()));
        let (log, lines) = (Arc::clone(&events), logs.clone());
        tokio::spawn(async move {
            while let Some(event) = pod_events.recv().await {
                lines.push("pod", &format!("{event:?}"));
                lock(&log).push((Instant::now(), event));
            }
        });
        let load = Load::start(client.clone(), ports.app);
        Ok(Self {
            ports,
            logs,
            load,
            program,
            pod,
            events,
            client,
            dependency,
            directory,
        })
    }

    /// Returns the process id of the app.
    pub fn app_pid(&self) -> Option<u32> {
        self.pod.pid(Role::App)
    }

    /// Returns the events of the pod since `moment`.
    pub fn events_since(&self, moment: Instant) -> Vec<(Instant, PodEvent)> {
        lock(&self.events)
            .iter()
            .filter(|(at, _)| *at >= moment)
            .cloned()
            .collect()
    }

    /// Returns the sidecar's state directory: intent, budget, journal.
    pub fn state_directory(&self) -> PathBuf {
        self.directory.path().join(process::STATE)
    }

    /// Sends `GET` to the app's own port, and returns status and body.
    pub async fn get(&self, path: &str) -> reqwest::Result<(u16, String)> {
        self.send(self.client.get(self.url(path))).await
    }

    /// Sends `POST` to the app's own port, and returns status and body.
    pub async fn post(&self, path: &str) -> reqwest::Result<(u16, String)> {
        self.send(self.client.post(self.url(path))).await
    }

    /// Returns the report of the app's `/health` on its own port, as a client on this machine gets it.
    pub async fn health(&self) -> Option<Health> {
        let (status, body) = self.get("/health").await.ok()?;
        (status == 200)
            .then(|| serde_json::from_str(&body).ok())
            .flatten()
    }

    /// Sends `GET` to the sidecar, and returns status and body.
    pub async fn get_sidecar(&self, path: &str) -> reqwest::Result<(u16, String)> {
        let url = format!("http://127.0.0.1:{}{path}", self.ports.sidecar);
        self.send(self.client.get(url)).await
    }

    /// Waits until app and sidecar are ready.
    ///
    /// # Errors
    ///
    /// Returns an error if they are not ready at the timeout.
    pub async fn wait_until_ready(&self) -> Result<(), WaitTimeout> {
        wait_for("the app's readiness", START_TIMEOUT, async || {
            matches!(self.get("/readyz").await, Ok((200, _))).then_some(())
        })
        .await?;
        wait_for("the sidecar's /healthz", START_TIMEOUT, async || {
            matches!(self.get_sidecar("/healthz").await, Ok((200, _))).then_some(())
        })
        .await
    }

    /// Returns the number of the sidecar's polls of the app, from its metrics.
    pub async fn poll_count(&self) -> Option<f64> {
        let (status, text) = self.get_sidecar("/metrics").await.ok()?;
        let samples = text
            .lines()
            .filter(|line| line.starts_with("healing_polls_total"));
        let values = samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
        (status == 200).then(|| values.sum())
    }

    /// Returns the votes of the model since the sidecar started, from its status.
    pub async fn model_votes(&self) -> Option<ModelVotes> {
        #[derive(serde::Deserialize)]
        struct Status {
            model: ModelVotes,
        }
        let (status, text) = self.get_sidecar("/status").await.ok()?;
        let read: Status = serde_json::from_str(&text).ok()?;
        (status == 200).then_some(read.model)
    }

    /// Returns `true` if the dependency's process has exited.
    pub fn dependency_exited(&mut self) -> bool {
        self.dependency
            .as_mut()
            .is_none_or(|child| matches!(child.try_wait(), Ok(Some(_))))
    }

    /// Starts the dependency again, on the same port.
    ///
    /// # Errors
    ///
    /// Returns an error if the process cannot be started.
    pub fn restart_dependency(&mut self) -> io::Result<()> {
        let command = process::command(
            &self.program,
            Subprocess::Dependency,
            &self.ports,
            self.directory.path(),
        );
        self.dependency = Some(spawn(&command)?);
        Ok(())
    }

    /// Stops the load, the pod and the dependency.
    pub async fn shutdown(mut self) {
        drop(self.load);
        self.pod.stop(GRACE).await;
        if let Some(child) = &mut self.dependency {
            let _ = child.kill().await;
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports.app)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<(u16, String)> {
        // The sidecar closes connections by age, so a later request on this one might fail.
        let request = request.header(CONNECTION, "close");
        let response = request.timeout(REQUEST_TIMEOUT).send().await?;
        let status = response.status().as_u16();
        Ok((status, response.text().await?))
    }
}

/// Factor on the kubelet's back-off of 10 s to 300 s. After exit 88 there is no back-off.
const TIME_SCALE: f64 = 0.05;

/// Timeout of the readiness of a process, which allows for a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Timeout of the demo's own requests, which are not measured.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Grace period of the pod at the end of the demo, when there are no requests.
const GRACE: Duration = Duration::from_secs(1);

fn spawn(command: &CommandLine) -> io::Result<Child> {
    tokio::process::Command::new(&command.program)
        .args(&command.args)
        .envs(command.env.iter().map(|(key, value)| (key, value)))
        .env(
            healing_sidecar::parent_death::POD_PID,
            std::process::id().to_string(),
        )
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
