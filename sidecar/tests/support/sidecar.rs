//! The sidecar program as a child process.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::app::FakeApp;
use super::program::sidecar_program;

/// Running sidecar.
pub(crate) struct Sidecar {
    child: Child,
    status: Arc<Mutex<String>>,
    client: reqwest::Client,
    _state: tempfile::TempDir,
}

impl Sidecar {
    /// Starts the sidecar in the demo profile and `enforce` mode with a temporary state directory. `env`
    /// overrides settings.
    pub(crate) async fn start(app: &FakeApp, env: &[(&str, &str)]) -> Self {
        let state = tempfile::tempdir().unwrap();
        let mut child = Self::command(app)
            .env("HEALING_STATE_DIR", state.path())
            .envs(env.iter().copied())
            .spawn()
            .unwrap();
        let status = status_address(&mut child).await;
        Self {
            child,
            status,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            _state: state,
        }
    }

    /// Returns the command that starts the sidecar with the default state directory.
    pub(crate) fn command(app: &FakeApp) -> Command {
        let mut command = Command::new(sidecar_program());
        command
            .env("HEALING_PROFILE", "demo")
            .env("HEALING_MODE", "enforce")
            .env("HEALING_PROBE_TIMEOUT", "300ms")
            .env("HEALING_BIND", "127.0.0.1:0")
            .env("HEALING_APP_URL", format!("http://{}", app.app))
            .env("HEALING_CARE_URL", format!("http://{}", app.care))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Returns the exit code (`None` after a signal) if the process has exited.
    pub(crate) fn exited(&mut self) -> Option<Option<i32>> {
        self.child.try_wait().unwrap().map(|status| status.code())
    }

    pub(crate) async fn wait(&mut self) -> Option<i32> {
        tokio::time::timeout(Duration::from_secs(40), self.child.wait())
            .await
            .expect("the sidecar did not exit")
            .unwrap()
            .code()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    fn address(&self) -> String {
        self.status.lock().unwrap().clone()
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        self.try_get(path).await.unwrap()
    }

    async fn try_get(&self, path: &str) -> reqwest::Result<String> {
        self.client
            .get(format!("http://{}{path}", self.address()))
            .timeout(Duration::from_secs(5))
            .send()
            .await?
            .text()
            .await
    }

    pub(crate) async fn metrics(&self) -> Metrics {
        Metrics {
            text: self.get("/metrics").await,
        }
    }

    pub(crate) async fn try_metrics(&self) -> Option<Metrics> {
        let text = self.try_get("/metrics").await.ok()?;
        Some(Metrics { text })
    }

    /// Waits until `polls` polls have received a report of the app.
    pub(crate) async fn reported(&mut self, polls: u32) {
        self.polls("reported", polls).await;
    }

    /// Waits until `polls` polls had this result.
    pub(crate) async fn polls(&mut self, result: &str, polls: u32) {
        let begin = Instant::now();
        while self.metrics().await.get("healing_polls_total", &[result]) < f64::from(polls) {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "no {result} polls"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Returns the address of the status server, which is updated from the log, because a re-execution
/// changes it. Copies the log to the test's own output.
async fn status_address(child: &mut Child) -> Arc<Mutex<String>> {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
    tokio::spawn(async move {
        while let Ok(Some(line)) = errors.next_line().await {
            println!("sidecar stderr: {line}");
        }
    });
    let address = Arc::new(Mutex::new(String::new()));
    let found = Arc::clone(&address);
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            println!("{line}");
            let entry: serde_json::Value = serde_json::from_str(&line).unwrap();
            if entry["message"] == "status server" {
                *found.lock().unwrap() = entry["address"].as_str().unwrap().to_owned();
            }
        }
    });
    let begin = Instant::now();
    while address.lock().unwrap().is_empty() {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "no status server"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    address
}

/// Result of a scrape.
pub(crate) struct Metrics {
    pub(crate) text: String,
}

impl Metrics {
    /// Returns the sum of the series of this name that have all these label values.
    pub(crate) fn get(&self, name: &str, values: &[&str]) -> f64 {
        self.text
            .lines()
            .filter(|line| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with([' ', '{']))
            })
            .filter(|line| {
                values
                    .iter()
                    .all(|value| line.contains(&format!("=\"{value}\"")))
            })
            .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
            .sum()
    }

    /// Returns the sum of all series of this name.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.get(name, &[])
    }
}
