//! A real app and the real sidecar in a local pod, both of them killed again and again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use healing_sidecar::pod::{CommandLine, LocalPod, Output, PodEvent, PodSpec, Role, Signal};
use healing_tower::Healing;
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout};

const SOON: Duration = Duration::from_secs(30);

/// The app: `/good` is always well, `/bad` always fails, and no hook helps. Started by the tests
/// as a process of its own.
#[test]
#[ignore = "the app of the other tests, which start it"]
fn app_process() {
    let Ok(bind) = std::env::var("KILL_TEST_BIND") else {
        return;
    };
    healing_sidecar::pod::die_with_pod().unwrap();
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
    events: Receiver<PodEvent>,
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
        let sidecar = CommandLine::new(env!("CARGO_BIN_EXE_healing-sidecar"))
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
            events,
            app,
            care,
            client,
            dir,
        };
        this.ready(true, SOON).await;
        this
    }

    /// Wait until `/readyz` says so.
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

    async fn until<T>(&mut self, mut pick: impl FnMut(&PodEvent) -> Option<T>) -> T {
        timeout(SOON, async {
            loop {
                let event = self.events.recv().await.expect("the pod ended");
                println!("pod: {event:?}");
                if let Some(found) = pick(&event) {
                    return found;
                }
            }
        })
        .await
        .expect("the event did not come")
    }

    async fn kill_sidecar(&mut self) {
        self.pod.signal(Role::Sidecar, Signal::KILL);
        self.until(|event| {
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
        self.until(|event| {
            matches!(
                event,
                PodEvent::Started {
                    role: Role::Sidecar,
                    ..
                }
            )
            .then_some(())
        })
        .await;
    }

    /// The doctor has seen another instance, and it passed its probation.
    async fn recovers(&self) {
        let begin = Instant::now();
        while !self.journal().contains("\"outcome\":\"recovered\"") {
            assert!(begin.elapsed() < SOON, "no outcome: {}", self.journal());
            sleep(Duration::from_millis(50)).await;
        }
        assert!(self.journal().contains("\"kind\":\"restarted\""));
    }

    /// The app has served well for as long as a probation lasts, and the doctor knows: one that never
    /// did is a bad rollout, and is not restarted.
    async fn has_worked(&self) {
        let (url, begin) = (format!("http://{}/good", self.app), Instant::now());
        let state = self.dir.path().join("state.json");
        while !exists(&state, r#""worked":{"has":true"#) {
            assert!(begin.elapsed() < SOON, "the doctor does not see it work");
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

/// Requests without a pause, until told to stop.
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

    /// How many were made, and how many failed.
    async fn end(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        (
            self.done.load(Ordering::Relaxed),
            self.wrong.load(Ordering::Relaxed),
        )
    }
}

/// The same moments at each run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, milliseconds: u64) -> Duration {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis((self.0 >> 33) % milliseconds)
    }
}

/// Quick to escalate, so that a hard heal is always near; slow to drain, so that it is hit there.
const HASTY: &str = r#"
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
async fn twenty_kills_of_the_sidecar_harm_nobody_and_then_it_heals() {
    let mut pod = Pod::start(HASTY, 0.001).await;
    let mut moments = Seeded(42);
    let app_pid = pod.pod.pid(Role::App).unwrap();
    let good = Load::start(&pod, "/good", 200);

    for _ in 0..10 {
        sleep(moments.below(700)).await;
        pod.kill_sidecar().await;
        pod.ready(true, Duration::from_secs(10)).await;
    }
    pod.has_worked().await;
    let bad = Load::start(&pod, "/bad", 500);
    for round in 0..10 {
        pod.ready(false, SOON).await; // drained: the exit is 2 s away
        sleep(moments.below(1500)).await;
        pod.kill_sidecar().await;
        pod.ready(true, Duration::from_secs(10)).await;
        println!("round {round} is over");
    }
    assert_eq!(
        pod.pod.pid(Role::App),
        Some(app_pid),
        "the app was never restarted"
    );
    let (made, failed) = good.end().await;
    assert!(made > 500, "{made} requests");
    assert_eq!(failed, 0, "of {made} requests");
    // The last round may still be settled.
    let journal = pod.journal();
    assert!(
        journal.matches("the same instance answers").count() >= 9,
        "{journal}"
    );

    // Left alone, it finishes what it began: exit 88, a new app, and the new doctor sees it recover.
    let code = pod
        .until(|event| match event {
            PodEvent::Exited {
                role: Role::Sidecar,
                code,
                ..
            } => Some(*code),
            _ => None,
        })
        .await;
    assert_eq!(code, Some(88));
    bad.end().await;
    let new_pid = pod
        .until(|event| match event {
            PodEvent::Started {
                role: Role::App,
                pid,
                ..
            } => Some(*pid),
            _ => None,
        })
        .await;
    assert_ne!(new_pid, app_pid);
    pod.ready(true, Duration::from_secs(10)).await;
    pod.recovers().await;
    pod.pod.stop(SOON).await;
}

/// With `restart = liveness` the app leaves in its own order, and the doctor stays up and verifies.
/// Nobody probes here, so the app ends by itself after its wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn condemned_the_app_restarts_alone_and_the_doctor_watches_it_recover() {
    let mut pod = Pod::start(&format!("restart = \"liveness\"\n{HASTY}"), 0.001).await;
    let (app, sidecar) = (pod.pod.pid(Role::App), pod.pod.pid(Role::Sidecar));
    pod.has_worked().await;
    let bad = Load::start(&pod, "/bad", 500);
    let code = pod
        .until(|event| match event {
            PodEvent::Exited {
                role: Role::App,
                code,
                ..
            } => Some(*code),
            _ => None,
        })
        .await;
    assert_eq!(code, Some(75));
    bad.task.abort();
    pod.ready(true, Duration::from_secs(10)).await;
    assert_ne!(pod.pod.pid(Role::App), app);
    pod.recovers().await;
    assert_eq!(pod.pod.pid(Role::Sidecar), sidecar, "the doctor stayed up");
    pod.pod.stop(SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_death_of_the_app_is_the_kubelets_business() {
    let mut pod = Pod::start("", 0.01).await;
    let sidecar = pod.pod.pid(Role::Sidecar);
    let mut delays = Vec::new();
    for _ in 0..3 {
        pod.pod.signal(Role::App, Signal::KILL);
        delays.push(
            pod.until(|event| match event {
                PodEvent::BackOff {
                    role: Role::App,
                    delay,
                } => Some(delay.as_millis()),
                _ => None,
            })
            .await,
        );
        pod.until(|event| {
            matches!(
                event,
                PodEvent::Started {
                    role: Role::App,
                    ..
                }
            )
            .then_some(())
        })
        .await;
        pod.ready(true, Duration::from_secs(10)).await;
        sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(
        delays,
        [0, 100, 200],
        "the kubelet's back-off, a hundredth of it"
    );
    assert_eq!(
        pod.pod.pid(Role::Sidecar),
        sidecar,
        "the doctor only looked on"
    );
    assert!(!exists(&pod.dir.path().join("state.json"), "intent"));
    pod.pod.stop(SOON).await;
    // Told to end, both leave in order and with 0.
    let mut codes = Vec::new();
    while let Some(event) = pod.events.recv().await {
        if let PodEvent::Exited { role, code, .. } = event {
            codes.push((role, code));
        }
    }
    assert_eq!(
        codes[codes.len() - 2..],
        [(Role::App, Some(0)), (Role::Sidecar, Some(0))]
    );
}

fn exists(path: &Path, word: &str) -> bool {
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .contains(word)
}
