//! Everything that runs: the pod with app and sidecar, the dependency, the load.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use healing_cli::pod::{CommandLine, LocalPod, Output, PodEvent, PodSpec, Role};
use healing_core::health::Health;
use tempfile::TempDir;
use tokio::process::Child;

use super::load::Load;
use super::output::Logs;
use super::ports::Ports;
use super::roles::{self, Part};
use super::wait::{NotSeen, until};

/// The stage, set and playing.
#[derive(Debug)]
pub struct Stage {
    /// Where everything listens.
    pub ports: Ports,
    /// What the children print.
    pub logs: Logs,
    /// The clients.
    pub load: Load,
    program: PathBuf,
    pod: LocalPod,
    happened: Arc<Mutex<Vec<(Instant, PodEvent)>>>,
    client: reqwest::Client,
    dependency: Option<Child>,
    directory: TempDir,
}

impl Stage {
    /// Starts everything, by the demo's own binary; the load is at rest, and nothing answers yet.
    ///
    /// # Errors
    /// A process or a directory cannot be had.
    pub fn set(program: PathBuf, ports: Ports) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("healing-demo-").tempdir()?;
        let logs = Logs::default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .map_err(|error| io::Error::other(format!("no HTTP client: {error}")))?;
        let dependency = roles::command(&program, Part::Dependency, &ports, directory.path());
        let spec = PodSpec {
            app: roles::command(&program, Part::App, &ports, directory.path()),
            sidecar: roles::command(&program, Part::Sidecar, &ports, directory.path()),
            time_scale: TIME_SCALE,
            output: Output::Lines(logs.sink()),
        };
        let dependency = Some(spawn(&dependency)?);
        let (pod, mut events) = LocalPod::start(spec)?;
        let happened = Arc::new(Mutex::new(Vec::new()));
        let (log, lines) = (Arc::clone(&happened), logs.clone());
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                lines.add("pod", &format!("{event:?}"));
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
            happened,
            client,
            dependency,
            directory,
        })
    }

    /// The app's process.
    pub fn app_pid(&self) -> Option<u32> {
        self.pod.pid(Role::App)
    }

    /// What happened in the pod since `moment`.
    pub fn events_since(&self, moment: Instant) -> Vec<(Instant, PodEvent)> {
        lock(&self.happened)
            .iter()
            .filter(|(at, _)| *at >= moment)
            .cloned()
            .collect()
    }

    /// The sidecar's directory: intent, budget, journal.
    pub fn state_directory(&self) -> PathBuf {
        self.directory.path().join(roles::STATE)
    }

    /// `GET` on the app's own port: status and body.
    pub async fn get(&self, path: &str) -> reqwest::Result<(u16, String)> {
        self.ask(self.client.get(self.url(path))).await
    }

    /// `POST` on the app's own port: status and body.
    pub async fn post(&self, path: &str) -> reqwest::Result<(u16, String)> {
        self.ask(self.client.post(self.url(path))).await
    }

    /// What the app says of itself on its own port, as any client on this machine sees it.
    pub async fn health(&self) -> Option<Health> {
        let (status, body) = self.get("/health").await.ok()?;
        (status == 200)
            .then(|| serde_json::from_str(&body).ok())
            .flatten()
    }

    /// What the sidecar says.
    pub async fn sidecar(&self, path: &str) -> reqwest::Result<(u16, String)> {
        let url = format!("http://127.0.0.1:{}{path}", self.ports.sidecar);
        self.ask(self.client.get(url)).await
    }

    /// Waits until app and sidecar answer.
    ///
    /// # Errors
    /// They do not in time.
    pub async fn up(&self) -> Result<(), NotSeen> {
        until("the app's readiness", START, async || {
            matches!(self.get("/readyz").await, Ok((200, _))).then_some(())
        })
        .await?;
        until("the sidecar's /healthz", START, async || {
            matches!(self.sidecar("/healthz").await, Ok((200, _))).then_some(())
        })
        .await
    }

    /// How often the sidecar has looked at the app, by its own metrics.
    pub async fn polls(&self) -> Option<f64> {
        let (status, text) = self.sidecar("/metrics").await.ok()?;
        let samples = text
            .lines()
            .filter(|line| line.starts_with("healing_polls_total"));
        let values = samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
        (status == 200).then(|| values.sum())
    }

    /// The dependency's process ended.
    pub fn dependency_ended(&mut self) -> bool {
        self.dependency
            .as_mut()
            .is_none_or(|child| matches!(child.try_wait(), Ok(Some(_))))
    }

    /// Starts the dependency again, where it was.
    ///
    /// # Errors
    /// The process cannot be started.
    pub fn revive_dependency(&mut self) -> io::Result<()> {
        let command = roles::command(
            &self.program,
            Part::Dependency,
            &self.ports,
            self.directory.path(),
        );
        self.dependency = Some(spawn(&command)?);
        Ok(())
    }

    /// Ends everything in order.
    pub async fn clear(mut self) {
        drop(self.load);
        self.pod.stop(GRACE).await;
        if let Some(child) = &mut self.dependency {
            let _ = child.kill().await;
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports.app)
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> reqwest::Result<(u16, String)> {
        let response = request.timeout(PATIENCE).send().await?;
        let status = response.status().as_u16();
        Ok((status, response.text().await?))
    }
}

/// The kubelet's back-off of 10 s to 300 s, shortened. Exit 88 never waits.
const TIME_SCALE: f64 = 0.05;

/// On a busy machine too, a process answers within this.
const START: Duration = Duration::from_secs(60);
/// For the story's own requests, which are no measurement.
const PATIENCE: Duration = Duration::from_secs(10);
/// At the end there is nobody left to finish requests for.
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
