//! Tests of the control loop on real processes: app, dependency, sidecar, local pod and load.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use healing_benches::demo::ports::Ports;
use healing_benches::demo::report::ScenarioResult;
use healing_benches::demo::testbed::Testbed;
use healing_benches::journal::JournalReader;
use healing_cli::pod::PodEvent;

const DEMO: &str = env!("CARGO_BIN_EXE_demo");

/// Soft heals keep the process, the wedge is healed by a real exit 88 and a new process, and nothing is
/// restarted in the outage. The demo observes processes, journal and clients, so its report is asserted.
#[test]
fn demo_results_are_as_expected() {
    let directory = tempfile::tempdir().unwrap();
    let json = directory.path().join("demo.json");
    let started = Instant::now();
    let output = Command::new(DEMO)
        .args(["--port-base", "0", "--json"])
        .arg(&json)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{stdout}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        started.elapsed() < Duration::from_secs(90),
        "the demo took {:?}",
        started.elapsed()
    );

    let results: Vec<ScenarioResult> =
        serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let expected = [
        ("healthy", "no_action", None, None),
        ("poisoned-cache", "reset_errors", None, None),
        ("simulate-error", "reset_errors", None, None),
        ("wedge", "restart_service", None, Some(88)),
        (
            "dependency-outage",
            "no_action",
            Some("dependency_down"),
            None,
        ),
    ];
    assert_eq!(results.len(), expected.len(), "{stdout}");
    let mut pid = results[0].pid_before;
    let mut votes = 0;
    for (result, (fault, action, veto, exit)) in results.iter().zip(expected) {
        assert!(result.ok, "{result:?}");
        assert_eq!(
            (result.fault.as_str(), result.action.as_str()),
            (fault, action)
        );
        assert_eq!(
            (result.veto.as_deref(), result.sidecar_exit),
            (veto, exit),
            "{fault}"
        );
        assert_eq!(
            result.pid_before, pid,
            "{fault}: the process changed between two scenarios"
        );
        assert_eq!(
            result.pid_after != result.pid_before,
            fault == "wedge",
            "{result:?}"
        );
        assert_eq!(
            result.failed_requests > 0,
            fault != "healthy",
            "each fault fails requests: {result:?}"
        );
        assert_eq!(
            result.detected_ms.is_some(),
            fault != "healthy",
            "{result:?}"
        );
        assert_eq!(
            result.recovered_ms.is_some(),
            fault != "healthy",
            "{result:?}"
        );
        pid = result.pid_after;

        let model = &result.model;
        // A new sidecar counts from 0.
        votes = if exit.is_some() { 0 } else { votes };
        assert!(model.voted > votes, "the model voted: {result:?}");
        let reasons: Vec<&String> = model.abstained.keys().collect();
        assert!(
            reasons.iter().all(|reason| *reason == "no_report"),
            "the model votes on each report: {result:?}"
        );
        votes = model.voted;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn healthy_app_under_load_for_a_minute_gets_no_heal() {
    let started = SystemTime::now();
    let testbed = Testbed::start(PathBuf::from(DEMO), Ports::from_base(0).unwrap()).unwrap();
    testbed
        .wait_until_ready()
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", testbed.logs.last(30).join("\n")));
    let (pid, load_started) = (testbed.app_pid(), Instant::now());
    testbed.load.resume();
    tokio::time::sleep(Duration::from_secs(60)).await;
    testbed.load.pause().await;

    let summary = testbed.load.summary_since(load_started);
    assert!(summary.requests > 3000, "{summary:?}");
    // On a busy machine requests may time out. None may fail otherwise.
    assert_eq!(summary.failed, summary.timed_out, "{summary:?}");
    let polls = testbed.poll_count().await.unwrap();
    assert!(polls > 120.0, "only {polls} polls in a minute");
    for entry in JournalReader::new(&testbed.state_directory()).since(started) {
        assert!(!entry.proposes(), "{}", entry.explanation());
    }
    assert_eq!(testbed.app_pid(), pid);
    let ended = |event: &PodEvent| matches!(event, PodEvent::Exited { .. });
    assert!(
        !testbed
            .events_since(load_started)
            .iter()
            .any(|(_, event)| ended(event))
    );
    testbed.shutdown().await;
}

#[test]
fn busy_port_error_names_the_port_and_the_flag() {
    let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let output = Command::new(DEMO)
        .args(["--port-base", &port])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        message.contains(&port) && message.contains("--port-base"),
        "{message}"
    );
    assert_eq!(
        Command::new(DEMO)
            .arg("--unknown")
            .output()
            .unwrap()
            .status
            .code(),
        Some(2)
    );
}
