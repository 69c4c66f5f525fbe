//! Kills of a real app and the real sidecar in a local pod.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/events.rs"]
mod events;
#[path = "../../tests/support/program.rs"]
mod program;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use events::Events;
use healing_cli::pod::{CommandLine, LocalPod, Output, PodEvent, PodSpec, Role, Signal};
use healing_tower::Healing;
use tokio::time::sleep;

const SOON: Duration = Duration::from_secs(30);

/// App of the other tests, which start it as a separate process. `/good` always succeeds, `/bad`
/// always fails, and the hook does nothing.
#[test]
#[ignore = "the app of the other tests, which start it"]
fn app_process() {
    let Ok(bind) = std::env::var("KILL_TEST_BIND") else {
        return;
    };
    healing_sidecar::parent_death::die_with_pod().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let app = Router::new()
            .route("/good", get(|| async { "good" }))
            .route("/bad", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }));
        let healing = Healing::builder("kill-test")
            .soft_heal("nothing", || async { Ok::<(), std::io::Error>(()) })
            .lame_duck(Duration::from_millis(200))
            .condemned_wait(Duration::from_secs(1))
            .build();
        let listener = tokio::net::TcpListener::bind(bind).await.unwrap();
        healing.serve(listener, app).await.unwrap();
    });
}

struct Pod {
    pod: LocalPod,
    events: Events,
    app: SocketAddr,
    care: SocketAddr,
    client: reqwest::Client,
    dir: tempfile::TempDir,
}

impl Pod {
    async fn start(policy: &str, time_scale: f64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("healing.toml");
        std::fs::write(&config, policy).unwrap();
        let (app, care) = (free_port(), free_port());
        let app_program = CommandLine::new(std::env::current_exe().unwrap())
            .args(["app_process", "--exact", "--ignored", "--nocapture"])
            .env("KILL_TEST_BIND", app.to_string())
            .env("HEALING_CARE_BIND", care.to_string());
        let sidecar = CommandLine::new(program::sidecar_program())
            .env("HEALING_CONFIG", &config)
            .env("HEALING_PROFILE", "demo")
            .env("HEALING_MODE", "enforce")
            .env("HEALING_LOG_FORMAT", "text")
            .env("HEALING_BIND", free_port().to_string())
            .env("HEALING_APP_URL", format!("http://{app}"))
            .env("HEALING_CARE_URL", format!("http://{care}"))
            .env("HEALING_STATE_DIR", dir.path());
        let mut spec = PodSpec::new(app_program, sidecar);
        spec.time_scale = time_scale;
        let begin = Instant::now();
        spec.output = Output::Lines(Arc::new(move |role, line| {
            println!(
                "{:7.3} {} | {line}",
                begin.elapsed().as_secs_f64(),
                role.as_str()
            );
        }));
        let (pod, events) = LocalPod::start(spec).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let this = Self {
            pod,
            events: Events::new(events, SOON),
            app,
            care,
            client,
            dir,
        };
        this.ready(true, SOON).await;
        this
    }

    /// Waits until `/readyz` reports `wanted`.
    async fn ready(&self, wanted: bool, limit: Duration) {
        let url = format!("http://{}/readyz", self.care);
        let begin = Instant::now();
        loop {
            let status = match self.client.get(&url).send().await {
                Ok(response) => response.status().as_u16(),
                Err(_) => 0,
            };
            if status == if wanted { 200 } else { 503 } {
                return;
            }
            assert!(begin.elapsed() < limit, "/readyz is {status}, not {wanted}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn kill_sidecar(&mut self) {
        self.pod.signal(Role::Sidecar, Signal::KILL);
        self.events
            .until(|event| {
                matches!(
                    event,
                    PodEvent::Exited {
                        role: Role::Sidecar,
                        signal: Some(9),
                        ..
                    }
                )
                .then_some(())
            })
            .await;
        self.events.started(Role::Sidecar).await;
    }

    /// Waits until another instance of the app has passed its probation.
    async fn recovers(&self) {
        let begin = Instant::now();
        while !self.journal().contains("\"outcome\":\"recovered\"") {
            assert!(begin.elapsed() < SOON, "no outcome: {}", self.journal());
            sleep(Duration::from_millis(50)).await;
        }
        assert!(self.journal().contains("\"kind\":\"restarted\""));
    }

    /// Waits until the doctor counts the app as available. An app that was never available is a failed
    /// rollout, which is not restarted.
    async fn becomes_available(&self) {
        let (url, begin) = (format!("http://{}/good", self.app), Instant::now());
        let state = self.dir.path().join("state.json");
        while !contains(&state, r#""availability":{"available":true"#) {
            assert!(
                begin.elapsed() < SOON,
                "the doctor does not count the app as available"
            );
            self.client.get(&url).send().await.unwrap();
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn journal(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("journal.jsonl")).unwrap_or_default()
    }
}

fn free_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Sequential requests until stopped.
struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    wrong: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Load {
    fn start(pod: &Pod, path: &str, expected: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (done, wrong) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let url = format!("http://{}{path}", pod.app);
        let client = pod.client.clone();
        let task = {
            let (stop, done, wrong) = (Arc::clone(&stop), Arc::clone(&done), Arc::clone(&wrong));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    match client.get(&url).send().await {
                        Ok(response) if response.status() == expected => {}
                        other => {
                            println!("a request to {url} failed: {other:?}");
                            wrong.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(5)).await;
                }
            })
        };
        Self {
            stop,
            done,
            wrong,
            task,
        }
    }

    /// Stops the requests, and returns the numbers of requests made and failed.
    async fn stop(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        (
            self.done.load(Ordering::Relaxed),
            self.wrong.load(Ordering::Relaxed),
        )
    }
}

/// Pseudo-random delays, the same in each run.
struct Delays(u64);

impl Delays {
    fn below(&mut self, milliseconds: u64) -> Duration {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis((self.0 >> 33) % milliseconds)
    }
}

/// Settings with a quick escalation and a slow drain, so that the sidecar is killed while it drains.
const FAST_ESCALATION: &str = r#"
poll_interval = "100ms"
drain_settle = "2s"
drain_timeout = "1s"
[policy]
fast_window = "1s"
slow_window = "2s"
[policy.permission]
startup_grace = "0s"
soft_cooldown = "100ms"
hard_cooldown = "100ms"
hard_cooldown_max = "100ms"
splay = "0s"
budget = 16
hard_attempts = 16
soft_attempts = 1
[policy.outcome]
probation = "1s"
deadline = "1s"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sidecar_does_not_restart_app_while_killed_twenty_times_and_heals_it_afterwards() {
    let mut pod = Pod::start(FAST_ESCALATION, 0.001).await;
    let mut delays = Delays(42);
    let app_pid = pod.pod.pid(Role::App).unwrap();
    let good = Load::start(&pod, "/good", 200);

    for _ in 0..10 {
        sleep(delays.below(700)).await;
        pod.kill_sidecar().await;
        pod.ready(true, Duration::from_secs(10)).await;
    }
    pod.becomes_available().await;
    let bad = Load::start(&pod, "/bad", 500);
    for round in 0..10 {
        pod.ready(false, SOON).await; // drained; the exit follows 2 s later
        sleep(delays.below(1500)).await;
        pod.kill_sidecar().await;
        pod.ready(true, Duration::from_secs(10)).await;
        println!("round {round} is complete");
    }
    assert_eq!(
        pod.pod.pid(Role::App),
        Some(app_pid),
        "the app was never restarted"
    );
    let (made, failed) = good.stop().await;
    assert!(made > 500, "{made} requests");
    assert_eq!(failed, 0, "of {made} requests");
    // The last intent may not be resolved yet.
    let journal = pod.journal();
    assert!(
        journal
            .matches("the same instance is still running")
            .count()
            >= 9,
        "{journal}"
    );

    // Without further kills the hard heal completes, with exit 88, a new app, and a recorded recovery.
    let (code, _) = pod.events.exited(Role::Sidecar).await;
    assert_eq!(code, Some(88));
    bad.stop().await;
    let (new_pid, _) = pod.events.started(Role::App).await;
    assert_ne!(new_pid, app_pid);
    pod.ready(true, Duration::from_secs(10)).await;
    pod.recovers().await;
    pod.pod.stop(SOON).await;
}

/// With `restart = liveness` the app shuts itself down, and the doctor keeps running. There is no
/// liveness probe here, so the app exits after `condemned_wait`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn condemned_app_restarts_without_sidecar_and_recovers() {
    let mut pod = Pod::start(&format!("restart = \"liveness\"\n{FAST_ESCALATION}"), 0.001).await;
    let (app, sidecar) = (pod.pod.pid(Role::App), pod.pod.pid(Role::Sidecar));
    pod.becomes_available().await;
    let bad = Load::start(&pod, "/bad", 500);
    let (code, _) = pod.events.exited(Role::App).await;
    assert_eq!(code, Some(75));
    bad.task.abort();
    pod.ready(true, Duration::from_secs(10)).await;
    assert_ne!(pod.pod.pid(Role::App), app);
    pod.recovers().await;
    assert_eq!(
        pod.pod.pid(Role::Sidecar),
        sidecar,
        "the doctor kept running"
    );
    pod.pod.stop(SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_app_restarts_with_kubelet_back_off_and_without_hard_heal() {
    let mut pod = Pod::start("", 0.01).await;
    let sidecar = pod.pod.pid(Role::Sidecar);
    let mut delays = Vec::new();
    for _ in 0..3 {
        pod.pod.signal(Role::App, Signal::KILL);
        delays.push(pod.events.back_off(Role::App).await.as_millis());
        pod.events.started(Role::App).await;
        pod.ready(true, Duration::from_secs(10)).await;
        sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(
        delays,
        [0, 100, 200],
        "a hundredth of the kubelet's back-off"
    );
    assert_eq!(
        pod.pod.pid(Role::Sidecar),
        sidecar,
        "the doctor kept running"
    );
    assert!(!contains(&pod.dir.path().join("state.json"), "intent"));
    pod.pod.stop(SOON).await;
    // On SIGTERM both exit in order, with 0.
    let exits = pod.events.remaining_exits().await;
    assert_eq!(
        exits[exits.len() - 2..],
        [(Role::App, Some(0), None), (Role::Sidecar, Some(0), None)]
    );
}

fn contains(path: &Path, word: &str) -> bool {
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .contains(word)
}
