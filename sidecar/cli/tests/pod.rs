//! Kubelet's restart rules and termination of all processes, in local pods of real processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/events.rs"]
mod events;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use events::Events;
use healing_cli::pod::{CommandLine, LocalPod, Output, PodEvent, PodSpec, Role, Signal};

const SOON: Duration = Duration::from_secs(20);

/// Script of an app that ignores SIGTERM.
const IGNORES_SIGTERM: &str = "trap '' TERM; while :; do sleep 0.1; done";

fn shell(script: &str) -> CommandLine {
    CommandLine::new("sh").arg("-c").arg(script)
}

fn spec(app: &str, sidecar: &str, time_scale: f64) -> PodSpec {
    let mut spec = PodSpec::new(shell(app), shell(sidecar));
    spec.time_scale = time_scale;
    spec.output = Output::Discard;
    spec
}

fn start(spec: PodSpec) -> (LocalPod, Events) {
    let (pod, events) = LocalPod::start(spec).unwrap();
    (pod, Events::new(events, SOON))
}

/// Returns `true` if a process runs. A zombie does not count, because not every container's init reaps
/// orphans.
fn alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().unwrap().starts_with('Z'))
}

#[tokio::test]
async fn crashing_app_restarts_immediately_then_with_doubling_back_off() {
    let (pod, mut events) = start(spec("exit 3", "exec sleep 600", 0.01));
    let mut delays = Vec::new();
    while delays.len() < 4 {
        delays.push(events.back_off(Role::App).await.as_millis());
    }
    assert_eq!(delays, [0, 100, 200, 400]);
    pod.stop(Duration::from_secs(2)).await;
}

#[tokio::test]
async fn exit_88_restarts_both_containers_without_back_off_every_time() {
    let (pod, mut events) = start(spec("exec sleep 600", "sleep 0.05; exit 88", 1.0));
    let (mut before, restarts) = events.started(Role::App).await;
    assert_eq!(restarts, 0);
    // With the kubelet's back-off a counted restart would wait 10 s from the second time on.
    let begin = Instant::now();
    for round in 1..=4 {
        let (pid, restarts) = events.started(Role::App).await;
        assert_eq!(restarts, round);
        assert_ne!(pid, before);
        assert!(
            !alive(before),
            "the old app has exited before the new one starts"
        );
        before = pid;
    }
    assert!(begin.elapsed() < Duration::from_secs(8));
    pod.stop(Duration::from_secs(2)).await;
}

#[tokio::test]
async fn app_ignoring_sigterm_is_killed_2_seconds_after_exit_88() {
    let (pod, mut events) = start(spec(IGNORES_SIGTERM, "sleep 0.3; exit 88", 1.0));
    events
        .until(|event| (*event == PodEvent::RestartAll).then_some(()))
        .await;
    let begin = Instant::now();
    let (_, signal) = events.exited(Role::App).await;
    assert_eq!(signal, Some(Signal::KILL.as_raw()));
    assert!(begin.elapsed() >= Duration::from_millis(1900));
    drop(pod);
}

#[tokio::test]
async fn sidecar_exit_other_than_88_leaves_app_running() {
    for code in [0, 1, 2, 78, 87, 89, 101] {
        let sidecar = format!("exit {code}");
        let (pod, mut events) = start(spec("exec sleep 600", &sidecar, 0.001));
        let (app, _) = events.started(Role::App).await;
        for _ in 0..3 {
            let exit = events
                .until(|event| match event {
                    PodEvent::Exited { role, code, .. } => Some((*role, *code)),
                    _ => None,
                })
                .await;
            assert_eq!(exit, (Role::Sidecar, Some(code)));
        }
        assert_eq!(pod.pid(Role::App), Some(app));
    }
}

#[tokio::test]
async fn exit_88_cancels_pending_back_off() {
    let (pod, mut events) = start(spec("exit 1", "sleep 0.3; exit 88", 1.0));
    while events.back_off(Role::App).await < Duration::from_secs(10) {}
    let begin = Instant::now();
    events.started(Role::App).await;
    assert!(begin.elapsed() < Duration::from_secs(5));
    drop(pod);
}

#[tokio::test]
async fn grandchildren_are_terminated_with_the_pod() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let mut spec = spec(
        "sleep 600 & echo child $!; wait",
        "sleep 600 & echo child $!; wait",
        1.0,
    );
    spec.output = Output::Lines(Arc::new(move |role, line| {
        sink.lock().unwrap().push((role, line.to_owned()));
    }));
    let (pod, _events) = start(spec);
    let children = || -> Vec<u32> {
        lines
            .lock()
            .unwrap()
            .iter()
            .filter_map(|(_, line)| line.strip_prefix("child ")?.parse().ok())
            .collect()
    };
    let begin = Instant::now();
    while children().len() < 2 && begin.elapsed() < SOON {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let children = children();
    assert_eq!(children.len(), 2);
    drop(pod);
    // Init reaps orphans with a short delay.
    while children.iter().any(|pid| alive(*pid)) && begin.elapsed() < SOON {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(children.iter().all(|pid| !alive(*pid)));
}

#[tokio::test]
async fn stop_terminates_app_before_sidecar() {
    let (pod, mut events) = start(spec("exec sleep 600", "exec sleep 600", 1.0));
    events.started(Role::App).await;
    pod.stop(Duration::from_secs(5)).await;
    let order: Vec<_> = events
        .remaining_exits()
        .await
        .into_iter()
        .map(|(role, _, signal)| (role, signal))
        .collect();
    let term = Some(Signal::TERM.as_raw());
    assert_eq!(order, [(Role::App, term), (Role::Sidecar, term)]);
}

#[tokio::test]
async fn dropped_stop_future_kills_app_immediately() {
    let (pod, mut events) = start(spec(IGNORES_SIGTERM, IGNORES_SIGTERM, 1.0));
    let (app, _) = events.started(Role::App).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begin = Instant::now();
    let short = Duration::from_millis(300);
    let stopped = tokio::time::timeout(short, pod.stop(Duration::from_secs(60))).await;
    assert!(stopped.is_err());
    assert!(!alive(app));
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn missing_program_reports_start_failure_and_is_retried() {
    let mut spec = spec("exec sleep 600", "exec sleep 600", 0.01);
    spec.app = CommandLine::new("/no/such/program");
    let (pod, mut events) = start(spec);
    for _ in 0..2 {
        let error = events
            .until(|event| match event {
                PodEvent::StartFailed {
                    role: Role::App,
                    error,
                } => Some(error.clone()),
                _ => None,
            })
            .await;
        assert!(error.contains("No such file"), "{error}");
    }
    drop(pod);
}

/// The app is a shell, which does not call `die_with_pod`.
#[tokio::test]
async fn app_is_killed_when_pod_is_killed_by_sigkill() {
    let dir = tempfile::tempdir().unwrap();
    let pids = dir.path().join("pids");
    let script = format!("echo $$ >> {}; exec sleep 600", pids.display());
    let mut pod = tokio::process::Command::new(env!("CARGO_BIN_EXE_healing"))
        .args(["pod", "--sidecar", "/bin/true", "--time-scale", "0.001"])
        .arg("--state-dir")
        .arg(dir.path())
        .args(["--", "sh", "-c", &script])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    let app = loop {
        let written = std::fs::read_to_string(&pids).unwrap_or_default();
        if let Some(pid) = written.lines().next().and_then(|pid| pid.parse().ok()) {
            break pid;
        }
        assert!(begin.elapsed() < SOON, "the app did not start");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(alive(app));
    pod.kill().await.unwrap();
    while alive(app) && begin.elapsed() < SOON {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!alive(app), "the app outlived its pod");
}
