//! Tests while every worker of the app's runtime is blocked and only the care thread runs.

use std::time::{Duration, Instant};

use crate::child::{Child, ChildConfig, Mode};
use crate::http::{get, heal, send_raw, wait_until};

/// Stalls the child's runtime and waits until the care port reports it.
async fn stalled_child(config: ChildConfig) -> Child {
    let path = if config.logs { "/stall/log" } else { "/stall" };
    let child = Child::start(config);
    let app = child.app;
    tokio::spawn(async move {
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        let _ = send_raw(app, request.as_bytes()).await;
    });
    wait_until("the stall is reported", || async {
        get(child.care, "/health").await.json()["runtime"]["stalled"]
            .as_bool()
            .filter(|s| *s)
    })
    .await;
    child
}

#[tokio::test]
async fn care_port_responds_in_time_and_reports_stall() {
    let child = stalled_child(ChildConfig::default()).await;

    // Best of five rounds, because other tests may keep the machine busy.
    let mut fast = 0;
    for _ in 0..5 {
        fast = 0;
        for index in 0..100 {
            let path = ["/health", "/livez", "/readyz", "/metrics"][index % 4];
            let begin = Instant::now();
            get(child.care, path).await;
            fast += usize::from(begin.elapsed() <= Duration::from_millis(50));
        }
        if fast >= 99 {
            break;
        }
    }
    assert!(fast >= 99, "only {fast} of 100 within 50 ms");

    let health = get(child.care, "/health").await.json();
    assert!(
        health["runtime"]["tick_age_seconds"].as_f64().unwrap() > 0.5,
        "{health}"
    );
    assert!(
        health["runtime"]["lag_seconds"].as_f64().unwrap() > 0.4,
        "{health}"
    );
    assert_eq!(
        get(child.care, "/livez").await.status,
        200,
        "a stall does not fail liveness before the doctor can act"
    );
    let ready = get(child.care, "/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("stalled"), "{ready:?}");

    let rejected = heal(child.care, "reset_errors").await;
    assert_eq!(
        (rejected.status, rejected.error().as_str()),
        (503, "runtime_stalled")
    );
    for action in ["drain", "undrain"] {
        assert_eq!(
            heal(child.care, action).await.status,
            200,
            "{action} does not need the runtime"
        );
    }
}

#[tokio::test]
async fn restart_service_skips_lame_duck_while_stalled() {
    let config = ChildConfig {
        lame_duck: 60_000,
        drain_deadline: 60_000,
        ..ChildConfig::default()
    };
    let mut child = stalled_child(config).await;
    let response = heal(child.care, "restart_service").await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(child.exit(Duration::from_secs(5)).await.code(), Some(75));
}

#[tokio::test]
async fn sigterm_exits_process_at_once_while_stalled() {
    let config = ChildConfig {
        lame_duck: 60_000,
        drain_deadline: 60_000,
        ..ChildConfig::default()
    };
    let mut child = stalled_child(config).await;
    child.sigterm();
    assert_eq!(child.exit(Duration::from_secs(5)).await.code(), Some(143));
}

#[tokio::test]
async fn stall_during_drain_exits_process() {
    let config = ChildConfig {
        lame_duck: 60_000,
        drain_deadline: 60_000,
        ..ChildConfig::default()
    };
    let mut child = Child::start(config);
    child.sigterm();
    wait_until("the instance drains", || async {
        (get(child.care, "/readyz").await.status == 503).then_some(())
    })
    .await;
    assert!(child.is_running());
    let request = b"POST /stall HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let app = child.app;
    tokio::spawn(async move { send_raw(app, request).await });
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(143));
}

/// Child whose log goes to a full pipe without a reader, so that each log line blocks.
const BLOCKED_LOG: ChildConfig = ChildConfig {
    stall_after: 500,
    lame_duck: 60_000,
    drain_deadline: 60_000,
    condemned_wait: 1000,
    mode: Mode::Serve,
    logs: true,
};

#[tokio::test]
async fn blocked_log_delays_neither_care_port_nor_restart_service() {
    let mut child = stalled_child(BLOCKED_LOG).await;
    // More log lines of the care thread than its queue holds.
    for _ in 0..300 {
        let rejected = heal(child.care, "reset_errors").await;
        assert_eq!(rejected.error(), "runtime_stalled");
    }
    assert_eq!(heal(child.care, "drain").await.status, 200);

    let response = heal(child.care, "restart_service").await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(get(child.care, "/livez").await.status, 503);
    let health = get(child.care, "/health").await.json();
    assert_eq!(health["condemned"], true, "{health}");
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(75));
}

#[tokio::test]
async fn blocked_log_does_not_delay_sigterm() {
    let mut child = stalled_child(BLOCKED_LOG).await;
    child.sigterm();
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(143));
}
