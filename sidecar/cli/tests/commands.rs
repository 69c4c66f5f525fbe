//! The operator's commands, and their effect on a running sidecar.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code)] // the tests of healing-sidecar use the other items
#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::{Command, Output};
use std::time::Duration;

use support::app::{FakeApp, Response};
use support::model::write_broken_models;
use support::sidecar::Sidecar;

/// Time after which the demo profile would have restarted an app with a stalled runtime.
const LONG: Duration = Duration::from_secs(8);

fn healing(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_healing"))
        .args(args)
        .output()
        .unwrap()
}

#[tokio::test]
async fn paused_sidecar_does_not_treat_stalled_app_until_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().to_str().unwrap();
    let paused = healing(&["pause", "--reason", "maintenance", "--state-dir", state]);
    assert!(paused.status.success(), "{paused:?}");
    let app = FakeApp::stalled(8).await;
    let mut sidecar = Sidecar::start(&app, &[("HEALING_STATE_DIR", state)]).await;
    tokio::time::sleep(LONG).await;
    assert_eq!(sidecar.exited(), None);
    let metrics = sidecar.metrics().await;
    assert_eq!(metrics.sum("healing_paused"), 1.0);
    assert!(metrics.get("healing_vetoes_total", &["paused"]) > 0.0);
    let status = sidecar.get("/status").await;
    assert!(status.contains("maintenance"), "{status}");

    let resumed = healing(&["resume", "--state-dir", state]);
    assert!(resumed.status.success(), "{resumed:?}");
    assert_eq!(sidecar.wait().await, Some(88));
}

#[tokio::test]
async fn model_verify_rejects_broken_files_and_sidecar_uses_trained_model() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.model");
    let good_path = good.to_str().unwrap();
    let trained = healing(&["train", "--synthetic", "--rows", "200", "--out", good_path]);
    assert!(trained.status.success(), "{trained:?}");
    let bytes = std::fs::read(&good).unwrap();
    for name in write_broken_models(dir.path(), &bytes) {
        let path = dir.path().join(name);
        let path = path.to_str().unwrap();
        let verified = healing(&["model", "verify", path]);
        assert_eq!(verified.status.code(), Some(1), "{name}");
        let message = String::from_utf8(verified.stderr).unwrap();
        assert!(message.contains(path), "{name}: {message}");
        assert!(
            name != "cyclic" || message.contains("makes a cycle"),
            "{message}"
        );
    }

    let app = FakeApp::start(usize::MAX, Response::Close).await;
    let mut sidecar = Sidecar::start(&app, &[("HEALING_MODEL", good_path)]).await;
    sidecar.reported(3).await;
    let metrics = sidecar.metrics().await;
    assert_eq!(metrics.get("healing_model_info", &["file"]), 1.0);
    assert!(
        metrics.text.contains("healing_model_probability"),
        "{}",
        metrics.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_the_vote_of_the_model_and_its_reasons() {
    let app = FakeApp::start(usize::MAX, Response::Close).await;
    let silent = FakeApp::start(0, Response::Close).await;
    let check = |app: &FakeApp, more: &[&str]| {
        let (front_door, care) = (
            format!("http://{}", app.app),
            format!("http://{}", app.care),
        );
        let urls = ["check", "--app-url", &front_door, "--care-url", &care];
        let output = healing(&[&urls, more].concat());
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let cases: [(&FakeApp, &[&str], i32, &str); 4] = [
        (
            &app,
            &[],
            0,
            "yes; clamped: memory_usage; absent: load_ratio, ",
        ),
        (
            &app,
            &["--model", "/dev/null"],
            0,
            "no, because the model file cannot be used",
        ),
        (
            &app,
            &["--rules", "original"],
            0,
            "no, because the original rules decide",
        ),
        (&silent, &[], 1, "no, because the app sent no valid report"),
    ];
    for (app, more, code, answer) in cases {
        let (found, text) = check(app, more);
        assert_eq!(found, Some(code), "{text}");
        let line = format!("model votes: {answer}");
        assert!(text.contains(&line), "{line} in\n{text}");
    }
}

#[test]
fn config_check_exits_78_and_names_each_error() {
    let right = healing(&["config", "check", "--mode", "enforce"]);
    assert_eq!(right.status.code(), Some(0), "{right:?}");
    let wrong = healing(&["config", "check", "--mode", "on", "--poll-interval", "1ms"]);
    assert_eq!(wrong.status.code(), Some(78));
    let message = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        message.contains("mode (--mode): \"on\" is not one of observe, enforce"),
        "{message}"
    );
    assert!(
        message.contains("poll_interval (--poll-interval): 1ms is out of range"),
        "{message}"
    );
    let usage = healing(&["config", "check", "--moed", "on"]);
    assert_eq!(usage.status.code(), Some(2));
    let shown = healing(&["config", "show", "--mode", "on"]);
    let table = String::from_utf8(shown.stdout).unwrap();
    assert!(
        table.contains("observe") && table.contains("policy.fast_window"),
        "{table}"
    );
}

#[tokio::test]
async fn check_reports_both_ports_and_sockets() {
    let app = FakeApp::start(usize::MAX, Response::Close).await;
    let (front_door, care) = (
        format!("http://{}", app.app),
        format!("http://{}", app.care),
    );
    let arguments = ["check", "--app-url", &front_door, "--care-url", &care];
    let arguments = arguments.map(ToOwned::to_owned);
    let checked =
        tokio::task::spawn_blocking(move || healing(&arguments.each_ref().map(String::as_str)));
    let checked = checked.await.unwrap();
    let output = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.status.success(), "{output}");
    let sockets = "sockets     0 established, 0 not accepted, 0 unread with 0 bytes";
    assert!(output.contains(sockets), "{output}");
}
