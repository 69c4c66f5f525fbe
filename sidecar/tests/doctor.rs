//! The sidecar as a process, with apps that send invalid responses, do not respond, or are stalled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::app::{FakeApp, HEALTHY, Response, http};
use support::model::write_broken_models;
use support::sidecar::Sidecar;

/// Time after which the demo profile would have restarted an app with a stalled runtime.
const LONG: Duration = Duration::from_secs(8);

/// The invalid responses of `/health` follow valid ones, so that the app is ready and start-up grace
/// does not apply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_health_response_neither_panics_the_doctor_nor_restarts_the_app() {
    let deep = format!("{{\"status\":{}", "[".repeat(100_000));
    let nan = HEALTHY.replace("\"cpu_usage\":5.0", "\"cpu_usage\":NaN");
    let infinite = HEALTHY.replace("\"cpu_usage\":5.0", "\"cpu_usage\":1e999");
    let negative = HEALTHY.replace("\"cpu_usage\":5.0", "\"cpu_usage\":-1e18");
    let many = HEALTHY.replace("\"requests_total\":100", "\"requests_total\":-3");
    let cases: Vec<(&str, &str, Response)> = vec![
        ("HTML", "invalid", http(200, "<html><body>It works!</body></html>")),
        ("empty body", "invalid", http(200, "")),
        ("no response", "invalid", Response::Close),
        ("not HTTP", "invalid", Response::Raw(b"SSH-2.0-OpenSSH_9\r\n".to_vec())),
        ("100 MB", "invalid", Response::Endless { announced: None, bytes: 100 << 20 }),
        ("100 MB announced", "invalid", Response::Endless { announced: Some(100 << 20), bytes: 100 << 20 }),
        ("slow by a minute", "", Response::Hang),
        ("one byte per second", "", Response::Drip),
        ("NaN", "invalid", http(200, &nan)),
        ("infinite", "invalid", http(200, &infinite)),
        ("negative", "invalid", http(200, &negative)),
        ("negative count", "invalid", http(200, &many)),
        ("deeply nested", "invalid", http(200, &deep)),
        ("other JSON", "invalid", http(200, "[1,2,3]")),
        ("status 500", "invalid", http(500, HEALTHY)),
        ("redirect", "invalid", Response::Raw(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec())),
        ("gzip garbage", "invalid", Response::Raw(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 6\r\n\r\n\x1f\x8b\x08\x00zz".to_vec())),
        ("broken chunks", "invalid", Response::Raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n".to_vec())),
    ];
    let runs = cases.into_iter().map(|(name, result, bad)| async move {
        let app = FakeApp::start(8, bad).await;
        let mut sidecar = Sidecar::start(&app, &[]).await;
        tokio::time::sleep(LONG).await;
        assert_eq!(sidecar.exited(), None, "{name}: the sidecar runs");
        let metrics = sidecar.metrics().await;
        assert_eq!(metrics.sum("healing_loop_panics_total"), 0.0, "{name}");
        assert_eq!(
            metrics.sum("healing_watchdog_restarts_total"),
            0.0,
            "{name}"
        );
        assert!(
            metrics.get("healing_polls_total", &["reported"]) > 3.0,
            "{name}: valid at first"
        );
        if !result.is_empty() {
            let polls = metrics.get("healing_polls_total", &[result]);
            assert!(polls > 5.0, "{name}: {polls} polls were {result}");
        }
        assert_eq!(
            app.heals(),
            Vec::<String>::new(),
            "{name}: no heal was requested"
        );
    });
    futures_util::future::join_all(runs).await;
}

/// The content of the front door's response does not matter, but the doctor reads only a limited part
/// of it.
#[tokio::test]
async fn endless_front_door_response_does_not_restart_the_app() {
    let app = FakeApp::start(usize::MAX, Response::Close).await;
    app.set_front_door(Response::Endless {
        announced: None,
        bytes: 100 << 20,
    });
    let mut sidecar = Sidecar::start(&app, &[]).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(sidecar.exited(), None);
    assert_eq!(app.heals(), Vec::<String>::new());
}

#[tokio::test]
async fn sidecar_exits_0_on_sigterm_while_app_is_unresponsive() {
    let app = FakeApp::start(0, Response::Hang).await;
    let mut sidecar = Sidecar::start(&app, &[("HEALING_PROBE_TIMEOUT", "30s")]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begin = Instant::now();
    sidecar.signal(Signal::TERM);
    assert_eq!(sidecar.wait().await, Some(0));
    assert!(begin.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn invalid_configuration_forces_observe_mode_and_is_reported() {
    let app = FakeApp::start(usize::MAX, Response::Close).await;
    let mut sidecar = Sidecar::start(&app, &[("HEALING_RULES", "whatever")]).await;
    let metrics = sidecar.metrics().await;
    assert_eq!(metrics.sum("healing_config_invalid"), 1.0);
    assert_eq!(metrics.get("healing_mode", &["observe"]), 1.0);
    assert_eq!(metrics.get("healing_mode", &["enforce"]), 0.0);
    let health = sidecar.get("/healthz").await;
    assert!(
        health.contains("HEALING_RULES") && health.contains("whatever"),
        "{health}"
    );
    assert_eq!(sidecar.exited(), None);
}

/// A model whose five features the fake app reports.
const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../healing-core/models/original-five.model"
);

#[tokio::test]
async fn unusable_model_file_falls_back_to_rules() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.model");
    let bytes = std::fs::read(MODEL).unwrap();
    std::fs::write(&good, &bytes).unwrap();
    let app = FakeApp::start(usize::MAX, Response::Close).await;
    for name in write_broken_models(dir.path(), &bytes) {
        let path = dir.path().join(name);
        let mut sidecar = Sidecar::start(&app, &[("HEALING_MODEL", path.to_str().unwrap())]).await;
        sidecar.reported(3).await;
        let metrics = sidecar.metrics().await;
        assert_eq!(metrics.get("healing_model_info", &["rules"]), 1.0, "{name}");
        let abstained = metrics.get("healing_model_abstained_total", &["model_error"]);
        assert!(abstained >= 3.0, "{name}: {abstained}");
        assert_eq!(metrics.sum("healing_model_votes_total"), 0.0, "{name}");
        assert_eq!(sidecar.exited(), None, "{name}");
    }
    let mut sidecar = Sidecar::start(&app, &[("HEALING_MODEL", good.to_str().unwrap())]).await;
    sidecar.reported(3).await;
    let metrics = sidecar.metrics().await;
    assert_eq!(metrics.get("healing_model_info", &["file"]), 1.0);
    assert!(
        metrics.text.contains("healing_model_probability"),
        "{}",
        metrics.text
    );
    let status: serde_json::Value = serde_json::from_str(&sidecar.get("/status").await).unwrap();
    assert!(status["model"]["voted"].as_u64().unwrap() >= 3, "{status}");
    assert_eq!(status["model"]["voted_share"], 1.0, "{status}");
}

/// A restart that cannot be recorded is vetoed, even if the app is stalled.
#[tokio::test]
async fn stalled_app_is_not_restarted_without_writable_state_directory() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let inside = file.path().join("state");
    let app = FakeApp::stalled(8).await;
    let mut sidecar =
        Sidecar::start(&app, &[("HEALING_STATE_DIR", inside.to_str().unwrap())]).await;
    tokio::time::sleep(LONG).await;
    assert_eq!(sidecar.exited(), None);
    let metrics = sidecar.metrics().await;
    assert_eq!(metrics.sum("healing_state_writable"), 0.0);
    assert!(
        metrics.get("healing_vetoes_total", &["state_unavailable"]) > 0.0,
        "{}",
        metrics.text
    );
    assert!(metrics.sum("healing_journal_errors_total") > 0.0);
}

/// With a writable state directory the hard heal writes the intent, skips the drain, and exits 88. The
/// next doctor finds the same instance and aborts the intent.
#[tokio::test]
async fn sidecar_exits_88_for_stalled_app_and_next_start_aborts_intent_of_same_instance() {
    let app = FakeApp::stalled(8).await;
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().to_str().unwrap();
    let mut sidecar = Sidecar::start(&app, &[("HEALING_STATE_DIR", state)]).await;
    assert_eq!(sidecar.wait().await, Some(88));
    assert_eq!(
        app.heals(),
        Vec::<String>::new(),
        "a stalled app is not drained"
    );
    let saved: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("state.json")).unwrap()).unwrap();
    assert_eq!(saved["intent"]["instance_id"], "fake");

    app.recover();
    let mut sidecar = Sidecar::start(&app, &[("HEALING_STATE_DIR", state)]).await;
    sidecar.reported(3).await;
    let journal = std::fs::read_to_string(dir.path().join("journal.jsonl")).unwrap();
    assert!(
        journal.contains("the same instance is still running"),
        "{journal}"
    );
    let metrics = sidecar.metrics().await;
    assert_eq!(
        metrics.get("healing_heals_total", &["hard", "aborted"]),
        1.0
    );
    let saved = std::fs::read_to_string(dir.path().join("state.json")).unwrap();
    assert!(!saved.contains("intent"), "{saved}");
    assert_eq!(sidecar.exited(), None);
}

/// The loop is blocked in a system call, because the pause file is a pipe without a writer. The watchdog
/// re-executes the program under the same process id, so the container keeps running.
#[tokio::test]
async fn watchdog_re_executes_sidecar_with_blocked_loop_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("pause.json");
    let app = FakeApp::start(usize::MAX, Response::Close).await;
    let mut sidecar = Sidecar::start(
        &app,
        &[
            ("HEALING_STATE_DIR", dir.path().to_str().unwrap()),
            ("HEALING_PROBE_TIMEOUT", "100ms"),
            ("HEALING_HEAL_TIMEOUT", "100ms"),
        ],
    )
    .await;
    sidecar.reported(2).await;
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    // This is long enough for one re-execution. Then the pipe is removed, so that the loop runs.
    tokio::time::sleep(Duration::from_secs(13)).await;
    std::fs::remove_file(&fifo).unwrap();
    let begin = Instant::now();
    loop {
        assert_eq!(sidecar.exited(), None);
        if let Some(metrics) = sidecar.try_metrics().await
            && metrics.sum("healing_watchdog_restarts_total") >= 1.0
            && metrics.get("healing_polls_total", &["reported"]) >= 3.0
        {
            return;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(25),
            "the sidecar did not continue to poll"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The sidecar must not depend on its log collector.
#[tokio::test]
async fn sidecar_keeps_running_without_log_reader() {
    let app = FakeApp::start(usize::MAX, Response::Close).await;
    let state = tempfile::tempdir().unwrap();
    let mut child = Sidecar::command(&app)
        .env("HEALING_STATE_DIR", state.path())
        .env("HEALING_LOG", "trace")
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    drop(child.stderr.take());
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(child.try_wait().unwrap(), None);
    let journal = std::fs::read_to_string(state.path().join("journal.jsonl")).unwrap();
    assert_eq!(
        journal.matches("\"kind\":\"start\"").count(),
        1,
        "{journal}"
    );
    assert!(journal.contains("\"reason\":\"healthy\""), "{journal}");
}

#[tokio::test]
async fn stopped_and_continued_sidecar_voids_a_poll_and_heals_nothing() {
    let app = FakeApp::start(usize::MAX, Response::Close).await;
    let mut sidecar = Sidecar::start(&app, &[]).await;
    sidecar.reported(3).await;
    sidecar.signal(Signal::STOP);
    tokio::time::sleep(Duration::from_millis(1500)).await; // the stop itself
    sidecar.signal(Signal::CONT);
    sidecar.polls("late", 1).await;
    sidecar.reported(6).await;
    assert_eq!(sidecar.exited(), None);
    assert_eq!(app.heals(), Vec::<String>::new());
}
