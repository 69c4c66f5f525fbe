//! The patient as a process, with flags, ports, a real wedge, and the original system's protocol on the app's
//! port.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_patient-app");

/// Running patient, which is killed when it is dropped.
struct Running {
    process: Child,
    app: String,
    care: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Running {
    async fn start() -> Self {
        let [app, care] = free_ports();
        let process = Command::new(BINARY)
            .env("PORT", format!("127.0.0.1:{app}"))
            .env("HEALING_CARE_BIND", format!("127.0.0.1:{care}"))
            .env("PATIENT_STALL_AFTER", "2")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = |port| format!("http://127.0.0.1:{port}");
        let running = Self {
            process,
            app: url(app),
            care: url(care),
        };
        wait_until(async || get(&format!("{}/readyz", running.care)).await == Some(StatusCode::OK))
            .await;
        running
    }

    async fn health(&self) -> Value {
        self.health_on(&self.app).await
    }

    async fn health_on(&self, port: &str) -> Value {
        let response = client().get(format!("{port}/health")).send().await.unwrap();
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }
}

/// Returns two free ports below the range of outgoing connections, so that no client occupies them.
fn free_ports() -> [u16; 2] {
    let first = 15_000 + u16::try_from(std::process::id() % 4_000).unwrap();
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    // Tests run concurrently in one process, so each needs its own ports.
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    let next = || loop {
        let port = first + NEXT.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if free(&port) {
            return port;
        }
    };
    [next(), next()]
}

fn client() -> Client {
    Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(2))
        .build()
        .unwrap()
}

async fn get(url: &str) -> Option<StatusCode> {
    client()
        .get(url)
        .send()
        .await
        .ok()
        .map(|response| response.status())
}

async fn wait_until(mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition().await {
        assert!(Instant::now() < deadline, "condition not met within 30 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().unwrap()
}

#[test]
fn invalid_flags_exit_2_and_name_valid_values() {
    for (arguments, expected) in [
        (&["--failure-rate", "2"][..], "0 to 1"),
        (&["--bind", "here"], "127.0.0.1:5000"),
        (&["--dependency", "db"], "HOST:PORT"),
        (&["--unknown"], "--help"),
        (&["dependency", "--bind", "x"], "invalid"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn busy_port_error_names_the_address() {
    let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let arguments: [&[&str]; 3] = [
        &["--bind", &address, "--care-bind", "127.0.0.1:0"],
        &["--bind", "127.0.0.1:0", "--care-bind", &address],
        &["dependency", "--bind", &address],
    ];
    for arguments in arguments {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(&address), "{arguments:?}: {message}");
    }
}

#[tokio::test]
async fn app_port_supports_the_original_monitors_protocol() {
    let patient = Running::start().await;
    for _ in 0..6 {
        let url = format!("{}/simulate-error", patient.app);
        assert_eq!(get(&url).await, Some(StatusCode::INTERNAL_SERVER_ERROR));
    }
    // CPU usage is a difference of two samples, so there is none within the first second.
    wait_until(async || patient.health().await["cpu_usage"].is_number()).await;
    let health = patient.health().await;
    assert_eq!(
        (&health["status"], &health["error_count"]),
        (&json!("degraded"), &json!(6))
    );
    for figure in ["memory_usage", "uptime"] {
        assert!(health[figure].is_number(), "{figure} in {health}");
    }

    // The original system's monitor does not send the header that the care port requires.
    let post_heal = |body: &'static str| {
        let heal = client().post(format!("{}/heal", patient.app));
        heal.header("content-type", "application/json")
            .body(body)
            .send()
    };
    let response = post_heal(r#"{"action":"reset_errors"}"#).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(body["previous_error_count"], 6);
    assert_eq!(body["current_status"], "healthy");
    assert_eq!(patient.health().await["error_count"], 0);

    let response = post_heal(r#"{"action":"unknown"}"#).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let message = response.text().await.unwrap();
    assert!(
        message.contains("reset_errors") && message.contains("restart_service"),
        "{message}"
    );
}

#[tokio::test]
async fn soft_heal_drops_the_poisoned_cache() {
    let patient = Running::start().await;
    let fault = format!("{}/faults/poisoned-cache", patient.app);
    assert_eq!(
        client().post(fault).send().await.unwrap().status(),
        StatusCode::OK
    );
    let data = format!("{}/data?id=0", patient.app);
    assert_eq!(get(&data).await, Some(StatusCode::INTERNAL_SERVER_ERROR));

    let heal = client()
        .post(format!("{}/heal", patient.care))
        .header("x-healing", "1");
    let response = heal.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(
        (&body["hooks"][0]["name"], &body["hooks"][0]["ok"]),
        (&json!("cache"), &json!(true))
    );
    assert_eq!(get(&data).await, Some(StatusCode::OK));
}

#[tokio::test]
async fn wedged_patient_responds_only_on_care_port_and_exits_on_sigterm() {
    let mut patient = Running::start().await;
    let wedge = format!("{}/faults/wedge", patient.app);
    assert_eq!(
        client().post(wedge).send().await.unwrap().status(),
        StatusCode::OK
    );
    // The wedge begins shortly after the response to the request above.
    wait_until(async || get(&format!("{}/healthz", patient.app)).await.is_none()).await;
    wait_until(async || patient.health_on(&patient.care).await["runtime"]["stalled"] == true).await;

    let pid = patient.process.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    wait_until(async || patient.process.try_wait().unwrap().is_some()).await;
}
