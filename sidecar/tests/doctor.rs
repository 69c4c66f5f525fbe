//! The sidecar's own process against apps that lie, hang, refuse and die. First do no harm.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};

use healing_sidecar::pod::Signal;
use support::app::{Answers, FakeApp, HEALTHY, http};
use support::sidecar::Sidecar;

/// Long enough for the demo profile to restart whatever it takes for a wedge.
const LONG: Duration = Duration::from_secs(8);

/// Every way in which `/health` can be nonsense, after a time of good answers: the app was ready,
/// so no start-up grace protects it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_never_panics_and_never_restarts() {
    let deep = format!("{{\"status\":{}", "[".repeat(100_000));
    let nan = HEALTHY.replace("\"cpu_usage\":5.0", "\"cpu_usage\":NaN");
    let infinite = HEALTHY.replace("\"cpu_usage\":5.0", "\"cpu_usage\":1e999");
    let negative = HEALTHY.replace("\"cpu_usage\":5.0", "\"cpu_usage\":-1e18");
    let many = HEALTHY.replace("\"requests_total\":100", "\"requests_total\":-3");
    let cases: Vec<(&str, &str, Answers)> = vec![
        ("HTML", "invalid", http(200, "<html><body>It works!</body></html>")),
        ("empty body", "invalid", http(200, "")),
        ("no answer at all", "invalid", Answers::Close),
        ("not HTTP", "invalid", Answers::Raw(b"SSH-2.0-OpenSSH_9\r\n".to_vec())),
        ("100 MB", "invalid", Answers::Endless { announced: None, bytes: 100 << 20 }),
        ("100 MB announced", "invalid", Answers::Endless { announced: Some(100 << 20), bytes: 100 << 20 }),
        ("slow by a minute", "", Answers::Hang),
        ("a byte a second", "", Answers::Drip),
        ("NaN", "invalid", http(200, &nan)),
        ("infinite", "invalid", http(200, &infinite)),
        ("negative", "invalid", http(200, &negative)),
        ("negative count", "invalid", http(200, &many)),
        ("deeply nested", "invalid", http(200, &deep)),
        ("other JSON", "invalid", http(200, "[1,2,3]")),
        ("status 500", "invalid", http(500, HEALTHY)),
        ("redirect", "invalid", Answers::Raw(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec())),
        ("gzip garbage", "invalid", Answers::Raw(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 6\r\n\r\n\x1f\x8b\x08\x00zz".to_vec())),
        ("broken chunks", "invalid", Answers::Raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n".to_vec())),
    ];
    let runs = cases.into_iter().map(|(name, result, bad)| async move {
        let app = FakeApp::start(8, bad).await;
        let mut sidecar = Sidecar::start(&app, &[]).await;
        tokio::time::sleep(LONG).await;
        assert_eq!(sidecar.exited(), None, "{name}: the sidecar is still there");
        let metrics = sidecar.metrics().await;
        assert_eq!(metrics.sum("healing_loop_panics_total"), 0.0, "{name}");
        assert_eq!(
            metrics.sum("healing_watchdog_restarts_total"),
            0.0,
            "{name}"
        );
        assert!(
            metrics.get("healing_polls_total", &["reported"]) > 3.0,
            "{name}: good at first"
        );
        if !result.is_empty() {
            let polls = metrics.get("healing_polls_total", &[result]);
            assert!(polls > 5.0, "{name}: {polls} polls were {result}");
        }
        assert_eq!(
            app.heals(),
            Vec::<String>::new(),
            "{name}: nothing was asked of the app"
        );
    });
    futures_util::future::join_all(runs).await;
}

/// What a front door serves does not matter; what the doctor reads of it is bounded all the same.
#[tokio::test]
async fn an_endless_front_door_is_nonsense_too() {
    let app = FakeApp::start(usize::MAX, Answers::Close).await;
    app.front_door(Answers::Endless {
        announced: None,
        bytes: 100 << 20,
    });
    let mut sidecar = Sidecar::start(&app, &[]).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(sidecar.exited(), None);
    assert_eq!(app.heals(), Vec::<String>::new());
}

#[tokio::test]
async fn told_to_end_it_exits_0_even_while_the_app_hangs() {
    let app = FakeApp::start(0, Answers::Hang).await;
    let mut sidecar = Sidecar::start(&app, &[("HEALING_PROBE_TIMEOUT", "30s")]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begin = Instant::now();
    sidecar.signal(Signal::TERM);
    assert_eq!(sidecar.wait().await, Some(0));
    assert!(begin.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn invalid_configuration_is_observed_with_and_said_everywhere() {
    let app = FakeApp::start(usize::MAX, Answers::Close).await;
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

#[tokio::test]
async fn models_that_cannot_be_used_leave_it_to_the_rules() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.model");
    let trained = tokio::process::Command::new(env!("CARGO_BIN_EXE_healing"))
        .args(["train", "--synthetic", "--rows", "200", "--out"])
        .arg(&good)
        .output()
        .await
        .unwrap();
    assert!(trained.status.success(), "{trained:?}");
    let bytes = std::fs::read(&good).unwrap();
    let mut altered = bytes.clone();
    *altered.last_mut().unwrap() ^= 1;
    let cyclic = with_a_cycle(&bytes);
    let cases: [(&str, Option<&[u8]>); 6] = [
        ("cyclic", Some(&cyclic)),
        ("missing", None),
        ("empty", Some(b"")),
        ("truncated", Some(&bytes[..bytes.len() / 2])),
        ("altered", Some(&altered)),
        ("foreign", Some(b"\x80\x04\x95 a pickle")),
    ];
    let app = FakeApp::start(usize::MAX, Answers::Close).await;
    for (name, content) in cases {
        let path = dir.path().join(name);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let verified = tokio::process::Command::new(env!("CARGO_BIN_EXE_healing"))
            .args(["model", "verify"])
            .arg(&path)
            .output()
            .await
            .unwrap();
        assert_eq!(verified.status.code(), Some(1), "{name}");
        let said = String::from_utf8(verified.stderr).unwrap();
        assert!(said.contains(path.to_str().unwrap()), "{name}: {said}");
        assert!(name != "cyclic" || said.contains("makes a cycle"), "{said}");

        let mut sidecar = Sidecar::start(&app, &[("HEALING_MODEL", path.to_str().unwrap())]).await;
        sidecar.reported(3).await;
        let metrics = sidecar.metrics().await;
        assert_eq!(metrics.get("healing_model_info", &["rules"]), 1.0, "{name}");
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
}

/// The model with the first tree's root as its own child, and the right checksum.
fn with_a_cycle(model: &[u8]) -> Vec<u8> {
    let mut lines = model.splitn(3, |byte| *byte == b'\n');
    let (magic, header) = (lines.next().unwrap(), lines.next().unwrap());
    let features = serde_json::from_slice::<serde_json::Value>(header).unwrap()["features"]
        .as_array()
        .unwrap()
        .len();
    let number = |at: &mut usize| {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = usize::from(model[*at]);
            *at += 1;
            value |= (byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    };
    let mut at = magic.len() + header.len() + 2;
    for _ in 0..features {
        let thresholds = number(&mut at);
        at += 4 * thresholds;
    }
    number(&mut at); // nodes of the first tree
    at += 1; // the root's feature
    number(&mut at); // its threshold
    assert_eq!(model[at], 1, "the root's first child");
    let mut cyclic = model[..model.len() - 8].to_vec();
    cyclic[at] = 0;
    let checksum = healing_core::model::file::checksum(&cyclic);
    cyclic.extend_from_slice(&checksum.to_le_bytes());
    cyclic
}

/// A restart that cannot be remembered is not allowed, not even for a wedge.
#[tokio::test]
async fn without_a_writable_state_directory_a_wedge_is_only_reported() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let inside = file.path().join("state");
    let app = FakeApp::wedged(8).await;
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

/// The same wedge with everything in order: intent first, no drain, exit 88; the next doctor finds
/// the same instance, and nobody was hurt.
#[tokio::test]
async fn a_wedge_is_exit_88_and_the_next_start_settles_the_intent() {
    let app = FakeApp::wedged(8).await;
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().to_str().unwrap();
    let mut sidecar = Sidecar::start(&app, &[("HEALING_STATE_DIR", state)]).await;
    assert_eq!(sidecar.wait().await, Some(88));
    assert_eq!(app.heals(), Vec::<String>::new(), "a wedge is not drained");
    let saved: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("state.json")).unwrap()).unwrap();
    assert_eq!(saved["intent"]["instance_id"], "fake");

    app.well_again();
    let mut sidecar = Sidecar::start(&app, &[("HEALING_STATE_DIR", state)]).await;
    sidecar.reported(3).await;
    let journal = std::fs::read_to_string(dir.path().join("journal.jsonl")).unwrap();
    assert!(journal.contains("the same instance answers"), "{journal}");
    let metrics = sidecar.metrics().await;
    assert_eq!(
        metrics.get("healing_heals_total", &["hard", "aborted"]),
        1.0
    );
    let saved = std::fs::read_to_string(dir.path().join("state.json")).unwrap();
    assert!(!saved.contains("intent"), "{saved}");
    assert_eq!(sidecar.exited(), None);
}

/// The loop hangs in a system call (a pause file that is a pipe nobody writes to): the watchdog
/// starts the program anew, with the same process id, and the container stays up.
#[tokio::test]
async fn a_hung_loop_is_started_anew_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("pause.json");
    let app = FakeApp::start(usize::MAX, Answers::Close).await;
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
    // Anew at least once, then the pipe goes away and the loop lives.
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
            "it did not come back"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A log collector that went away takes nothing with it.
#[tokio::test]
async fn it_goes_on_when_nobody_reads_its_log() {
    let app = FakeApp::start(usize::MAX, Answers::Close).await;
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

fn healing(args: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_healing"))
        .args(args)
        .output()
        .unwrap()
}

#[tokio::test]
async fn paused_it_leaves_even_a_wedge_alone_until_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().to_str().unwrap();
    let paused = healing(&["pause", "--reason", "maintenance", "--state-dir", state]);
    assert!(paused.status.success(), "{paused:?}");
    let app = FakeApp::wedged(8).await;
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

#[test]
fn config_check_exits_78_and_names_each_mistake() {
    let right = healing(&["config", "check", "--mode", "enforce"]);
    assert_eq!(right.status.code(), Some(0), "{right:?}");
    let wrong = healing(&["config", "check", "--mode", "on", "--poll-interval", "1ms"]);
    assert_eq!(wrong.status.code(), Some(78));
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        said.contains("mode (--mode): \"on\" is not one of observe, enforce"),
        "{said}"
    );
    assert!(
        said.contains("poll_interval (--poll-interval): 1ms is out of range"),
        "{said}"
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
