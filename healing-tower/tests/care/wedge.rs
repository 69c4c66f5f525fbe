//! Every worker of the app's runtime is blocked: what is left is the care thread.

use std::time::{Duration, Instant};

use crate::child::{Child, Mode, Play};
use crate::http::{get, heal, raw, until};

/// Wedges the child and waits until the care port says so.
async fn wedged(play: Play) -> Child {
    let path = if play.logs { "/wedge/log" } else { "/wedge" };
    let child = Child::start(play);
    let app = child.app;
    tokio::spawn(async move {
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        let _ = raw(app, request.as_bytes()).await;
    });
    until("the stall is reported", || async {
        get(child.care, "/health").await.json()["runtime"]["stalled"]
            .as_bool()
            .filter(|s| *s)
    })
    .await;
    child
}

#[tokio::test]
async fn the_care_port_answers_at_once_and_tells_the_stall() {
    let child = wedged(Play::default()).await;

    // Best of a few rounds: the machine that runs the tests may be busy with others.
    let mut quick = 0;
    for _ in 0..5 {
        quick = 0;
        for turn in 0..100 {
            let path = ["/health", "/livez", "/readyz", "/metrics"][turn % 4];
            let begin = Instant::now();
            get(child.care, path).await;
            quick += usize::from(begin.elapsed() <= Duration::from_millis(50));
        }
        if quick >= 99 {
            break;
        }
    }
    assert!(quick >= 99, "only {quick} of 100 within 50 ms");

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
        "the doctor comes first"
    );
    let ready = get(child.care, "/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("stalled"), "{ready:?}");

    let refused = heal(child.care, "reset_errors").await;
    assert_eq!(
        (refused.status, refused.error().as_str()),
        (503, "runtime_stalled")
    );
    for action in ["drain", "undrain"] {
        assert_eq!(
            heal(child.care, action).await.status,
            200,
            "{action} needs no runtime"
        );
    }
}

#[tokio::test]
async fn restart_service_ends_it_without_lame_duck() {
    let play = Play {
        lame_duck: 60_000,
        drain_deadline: 60_000,
        ..Play::default()
    };
    let mut child = wedged(play).await;
    let answer = heal(child.care, "restart_service").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(child.exit(Duration::from_secs(5)).await.code(), Some(75));
}

#[tokio::test]
async fn sigterm_ends_it_at_once() {
    let play = Play {
        lame_duck: 60_000,
        drain_deadline: 60_000,
        ..Play::default()
    };
    let mut child = wedged(play).await;
    child.sigterm();
    assert_eq!(child.exit(Duration::from_secs(5)).await.code(), Some(143));
}

#[tokio::test]
async fn a_wedge_during_the_drain_ends_it_too() {
    let play = Play {
        lame_duck: 60_000,
        drain_deadline: 60_000,
        ..Play::default()
    };
    let mut child = Child::start(play);
    child.sigterm();
    until("it drains", || async {
        (get(child.care, "/readyz").await.status == 503).then_some(())
    })
    .await;
    assert!(child.is_running());
    let request = b"POST /wedge HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let app = child.app;
    tokio::spawn(async move { raw(app, request).await });
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(143));
}

/// The pipe of the app's log is full, and nobody reads it: each line of log hangs.
const LOG_PIPE: Play = Play {
    stall_after: 500,
    lame_duck: 60_000,
    drain_deadline: 60_000,
    condemned_wait: 1000,
    mode: Mode::Serve,
    logs: true,
};

#[tokio::test]
async fn a_log_that_nobody_reads_holds_up_neither_the_care_port_nor_restart_service() {
    let mut child = wedged(LOG_PIPE).await;
    // More lines of the care thread's own than wait for a log.
    for _ in 0..300 {
        let refused = heal(child.care, "reset_errors").await;
        assert_eq!(refused.error(), "runtime_stalled");
    }
    assert_eq!(heal(child.care, "drain").await.status, 200);

    let answer = heal(child.care, "restart_service").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(get(child.care, "/livez").await.status, 503);
    let health = get(child.care, "/health").await.json();
    assert_eq!(health["condemned"], true, "{health}");
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(75));
}

#[tokio::test]
async fn a_log_that_nobody_reads_does_not_hold_up_sigterm() {
    let mut child = wedged(LOG_PIPE).await;
    child.sigterm();
    assert_eq!(child.exit(Duration::from_secs(10)).await.code(), Some(143));
}
