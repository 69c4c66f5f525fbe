//! Effects of switching faults on and off, observed through the app's own routes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode};
use patient_app::{Patient, Settings, dependency, routes};
use serde_json::Value;
use tower::ServiceExt;

const LOOPBACK: &str = "127.0.0.1:40000";

async fn request(app: &Router, method: Method, path: &str) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:5000")
        .extension(ConnectInfo(LOOPBACK.parse::<SocketAddr>().unwrap()))
        .body(Body::empty())
        .unwrap();
    send(app, request).await
}

async fn send(app: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 64 * 1024).await.unwrap();
    let text = String::from_utf8_lossy(&body).into_owned();
    (
        status,
        serde_json::from_slice(&body).unwrap_or(Value::String(text)),
    )
}

async fn get(app: &Router, path: &str) -> (StatusCode, Value) {
    request(app, Method::GET, path).await
}

async fn fault(app: &Router, name: &str) -> Value {
    let (_, faults) = get(app, "/faults").await;
    faults
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["name"] == name)
        .unwrap()
        .clone()
}

/// Sends 160 requests, and returns the number that failed.
async fn failures_of_160(app: &Router) -> usize {
    let mut failed = 0;
    for _ in 0..160 {
        failed += usize::from(get(app, "/data").await.0.is_server_error());
    }
    failed
}

async fn wait_until(mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(Instant::now() < deadline, "condition not met within 20 s");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn patient() -> (Arc<Patient>, Router) {
    let patient = Patient::new(&Settings::default());
    let app = routes(&patient);
    (patient, app)
}

#[tokio::test]
async fn data_is_served_from_cache_after_first_load() {
    let (_, app) = patient();
    let (status, first) = get(&app, "/data?id=7").await;
    assert_eq!((status, &first["source"]), (StatusCode::OK, &"self".into()));
    assert_eq!(get(&app, "/data?id=7").await.1["source"], "cache");
    assert_eq!(get(&app, "/data?id=16").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(&app, "/data?id=x").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(failures_of_160(&app).await, 0);
    assert_eq!(get(&app, "/").await.1["service"], "patient-app");
}

#[tokio::test]
async fn failure_rate_is_as_configured() {
    let settings = Settings {
        failure_rate: 0.2,
        ..Settings::default()
    };
    let app = routes(&Patient::new(&settings));
    let failed = failures_of_160(&app).await;
    assert!(
        (10..60).contains(&failed),
        "{failed} of 160 at a rate of 0.2"
    );
}

#[tokio::test]
async fn work_uses_its_cpu_time_before_the_response() {
    let settings = Settings {
        work: Duration::from_millis(200),
        ..Settings::default()
    };
    let app = routes(&Patient::new(&settings));
    let before = cpu_ticks();
    assert_eq!(get(&app, "/work").await.0, StatusCode::OK);
    // A tick is 10 ms of the process's CPU time.
    assert!(cpu_ticks() >= before + 19);
}

#[tokio::test]
async fn simulate_error_responds_with_500() {
    let (_, app) = patient();
    assert_eq!(
        get(&app, "/simulate-error").await.0,
        StatusCode::INTERNAL_SERVER_ERROR
    );
}

#[tokio::test]
async fn poisoned_cache_fails_a_quarter_until_dropped() {
    let (patient, app) = patient();
    assert_eq!(
        request(&app, Method::POST, "/faults/poisoned-cache")
            .await
            .0,
        StatusCode::OK
    );
    assert_eq!(failures_of_160(&app).await, 40);
    assert_eq!(fault(&app, "poisoned-cache").await["on"], true);
    // The broken entries do not expire.
    tokio::time::sleep(patient_app::Cache::TTL * 2).await;
    assert_eq!(failures_of_160(&app).await, 40);

    patient.cache().clear();
    assert_eq!(failures_of_160(&app).await, 0);
    assert_eq!(fault(&app, "poisoned-cache").await["on"], false);
}

#[tokio::test]
async fn leak_takes_resident_memory_until_switched_off() {
    let (_, app) = patient();
    let before = resident_mib();
    let (status, _) = request(
        &app,
        Method::POST,
        "/faults/leak?mib_per_second=400&max_mib=96",
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    wait_until(async || fault(&app, "leak").await["detail"] == "96 MiB held").await;
    assert!(
        resident_mib() >= before + 90,
        "{before} → {} MiB resident",
        resident_mib()
    );

    let (_, off) = request(&app, Method::DELETE, "/faults/leak").await;
    assert_eq!(
        (&off["on"], &off["detail"]),
        (&false.into(), &"0 MiB held".into())
    );
    assert!(
        resident_mib() < before + 48,
        "{before} → {} MiB resident",
        resident_mib()
    );
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}

#[tokio::test]
async fn cpu_spin_uses_cpu_until_switched_off() {
    let (_, app) = patient();
    let before = cpu_ticks();
    assert_eq!(
        request(&app, Method::POST, "/faults/cpu-spin?threads=1")
            .await
            .0,
        StatusCode::OK
    );
    // 20 ticks are 0.2 s of CPU time.
    wait_until(async || cpu_ticks() >= before + 20).await;
    request(&app, Method::DELETE, "/faults/cpu-spin").await;
    wait_until(async || fault(&app, "cpu-spin").await["on"] == false).await;
}

fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[tokio::test]
async fn dependency_outage_fails_data_until_dependency_is_restarted() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(dependency::serve(listener));
    let settings = Settings {
        dependency: Some(address.to_string()),
        ..Settings::default()
    };
    let app = routes(&Patient::new(&settings));
    assert_eq!(get(&app, "/data?id=1").await.1["source"], "dependency");

    assert_eq!(
        request(&app, Method::POST, "/faults/dependency-outage")
            .await
            .0,
        StatusCode::OK
    );
    server.await.unwrap();
    assert_eq!(
        get(&app, "/data?id=2").await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(fault(&app, "dependency-outage").await["on"], true);
    // The patient did not start the dependency, so it cannot start it again.
    let (status, body) = request(&app, Method::DELETE, "/faults/dependency-outage").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains("patient-app dependency"),
        "{body}"
    );
    assert_eq!(
        request(&app, Method::POST, "/faults/dependency-outage")
            .await
            .0,
        StatusCode::CONFLICT
    );

    let again = tokio::net::TcpListener::bind(address).await.unwrap();
    tokio::spawn(dependency::serve(again));
    assert_eq!(get(&app, "/data?id=2").await.0, StatusCode::OK);
    assert_eq!(
        request(&app, Method::DELETE, "/faults/dependency-outage")
            .await
            .0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn dependency_outage_without_dependency_is_a_conflict() {
    let (_, app) = patient();
    let (status, body) = request(&app, Method::POST, "/faults/dependency-outage").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(
        body["message"].as_str().unwrap().contains("--dependency"),
        "{body}"
    );
}

#[tokio::test]
async fn unknown_faults_and_invalid_parameters_are_rejected() {
    let (_, app) = patient();
    let (status, body) = request(&app, Method::POST, "/faults/flood").await;
    assert_eq!(
        (status, &body["error"]),
        (StatusCode::NOT_FOUND, &"unknown_fault".into())
    );
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains("poisoned-cache, leak, wedge"),
        "{body}"
    );
    assert_eq!(
        request(&app, Method::POST, "/faults/leak?mb=3").await.0,
        StatusCode::BAD_REQUEST
    );
    let (status, _) = request(&app, Method::POST, "/faults/leak?mib_per_second=0").await;
    assert_eq!(status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn faults_are_rejected_unless_from_loopback() {
    let (_, app) = patient();
    let post = |peer: &str, host: &str, origin: Option<&str>| {
        let mut request = Request::post("/faults/poisoned-cache")
            .header("host", host)
            .extension(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.body(Body::empty()).unwrap()
    };
    for (peer, host, origin) in [
        ("10.1.2.3:40000", "localhost:5000", None),
        (LOOPBACK, "rebound.example:5000", None),
        (LOOPBACK, "localhost:5000", Some("https://page.example")),
    ] {
        let (status, body) = send(&app, post(peer, host, origin)).await;
        assert_eq!(
            (status, &body["error"]),
            (StatusCode::FORBIDDEN, &"forbidden".into())
        );
    }
    assert_eq!(failures_of_160(&app).await, 0);
    // A dual-stack listener sees IPv4 peers as mapped addresses.
    let (status, _) = send(&app, post("[::ffff:127.0.0.1]:40000", "[::1]:5000", None)).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn healing_layer_adds_endpoints_and_counts_errors() {
    let settings = Settings::default();
    let patient = Patient::new(&settings);
    let healing = patient_app::healing(&patient, &settings);
    let app = patient_app::app(&patient, &healing);
    for path in ["/healthz", "/livez", "/health", "/metrics"] {
        assert_eq!(get(&app, path).await.0, StatusCode::OK, "{path}");
    }
    assert_eq!(
        get(&app, "/simulate-error").await.0,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    let health = get(&app, "/health").await.1;
    assert_eq!(
        (&health["error_count"], &health["requests_total"]),
        (&1.into(), &1.into())
    );
}
