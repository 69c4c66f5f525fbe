//! The whole loop on real processes: app, dependency, sidecar, local pod and load.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use healing_benches::demo::doctor::Doctor;
use healing_benches::demo::ports::Ports;
use healing_benches::demo::report::Step;
use healing_benches::demo::stage::Stage;
use healing_cli::pod::PodEvent;

const DEMO: &str = env!("CARGO_BIN_EXE_demo");

/// Soft heals keep the process, the wedge is healed by a real exit 88 and a new process, the outage
/// restarts nothing: the demo looks at processes, journal and clients, so its own account is what
/// is asserted here.
#[test]
fn the_demo_goes_as_told() {
    let directory = tempfile::tempdir().unwrap();
    let json = directory.path().join("demo.json");
    let began = Instant::now();
    let output = Command::new(DEMO)
        .args(["--port-base", "0", "--json"])
        .arg(&json)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{told}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        began.elapsed() < Duration::from_secs(90),
        "it took {:?}",
        began.elapsed()
    );

    let steps: Vec<Step> = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
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
    assert_eq!(steps.len(), expected.len(), "{told}");
    let mut pid = steps[0].pid_before;
    for (step, (fault, action, veto, exit)) in steps.iter().zip(expected) {
        assert!(step.ok, "{step:?}");
        assert_eq!((step.fault.as_str(), step.action.as_str()), (fault, action));
        assert_eq!(
            (step.veto.as_deref(), step.sidecar_exit),
            (veto, exit),
            "{fault}"
        );
        assert_eq!(
            step.pid_before, pid,
            "{fault}: nothing happens between the steps"
        );
        assert_eq!(
            step.pid_after != step.pid_before,
            fault == "wedge",
            "{step:?}"
        );
        assert_eq!(
            step.failed_requests > 0,
            fault != "healthy",
            "each fault is felt: {step:?}"
        );
        assert_eq!(step.detected_ms.is_some(), fault != "healthy", "{step:?}");
        assert_eq!(step.recovered_ms.is_some(), fault != "healthy", "{step:?}");
        pid = step.pid_after;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_app_under_load_for_a_minute_gets_no_heal_at_all() {
    let began = SystemTime::now();
    let stage = Stage::set(PathBuf::from(DEMO), Ports::from_base(0).unwrap()).unwrap();
    stage
        .up()
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", stage.logs.last(30).join("\n")));
    let (pid, loaded) = (stage.app_pid(), Instant::now());
    stage.load.resume();
    tokio::time::sleep(Duration::from_secs(60)).await;
    stage.load.rest().await;

    let seen = stage.load.seen_since(loaded);
    assert!(seen.requests > 3000, "{seen:?}");
    // A machine that is busy with other things may keep a client waiting; the app answers well.
    assert_eq!(seen.failed, seen.timed_out, "{seen:?}");
    let polls = stage.polls().await.unwrap();
    assert!(polls > 120.0, "{polls} polls in a minute: nobody looked");
    for entry in Doctor::of(&stage.state_directory()).since(began) {
        assert!(!entry.proposes(), "{}", entry.sentence());
    }
    assert_eq!(stage.app_pid(), pid);
    let ended = |event: &PodEvent| matches!(event, PodEvent::Exited { .. });
    assert!(
        !stage
            .events_since(loaded)
            .iter()
            .any(|(_, event)| ended(event))
    );
    stage.clear().await;
}

#[test]
fn a_busy_port_names_the_way_out() {
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
            .arg("--nonsense")
            .output()
            .unwrap()
            .status
            .code(),
        Some(2)
    );
}
