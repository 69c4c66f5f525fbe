//! The local pod on real processes: the kubelet's restart rules, and nobody left behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use healing_sidecar::pod::{CommandLine, LocalPod, Output, PodEvent, PodSpec, Role, Signal};
use tokio::sync::mpsc::Receiver;

const SOON: Duration = Duration::from_secs(20);

fn shell(script: &str) -> CommandLine {
    CommandLine::new("sh").arg("-c").arg(script)
}

fn spec(app: &str, sidecar: &str, time_scale: f64) -> PodSpec {
    let mut spec = PodSpec::new(shell(app), shell(sidecar));
    spec.time_scale = time_scale;
    spec.output = Output::Discard;
    spec
}

/// The first event that matches; panics if none comes.
async fn until<T>(
    events: &mut Receiver<PodEvent>,
    mut pick: impl FnMut(&PodEvent) -> Option<T>,
) -> T {
    tokio::time::timeout(SOON, async {
        loop {
            let event = events.recv().await.expect("the pod ended");
            if let Some(found) = pick(&event) {
                return found;
            }
        }
    })
    .await
    .expect("the event did not come")
}

async fn started(events: &mut Receiver<PodEvent>, wanted: Role) -> (u32, u32) {
    until(events, |event| match event {
        PodEvent::Started {
            role,
            pid,
            restarts,
        } if *role == wanted => Some((*pid, *restarts)),
        _ => None,
    })
    .await
}

/// A zombie counts as gone: not every container's init reaps orphans.
fn alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().unwrap().starts_with('Z'))
}

#[tokio::test]
async fn a_crashing_app_restarts_at_once_then_backs_off_doubling() {
    let (pod, mut events) = LocalPod::start(spec("exit 3", "exec sleep 600", 0.01)).unwrap();
    let mut delays = Vec::new();
    while delays.len() < 4 {
        delays.push(
            until(&mut events, |event| match event {
                PodEvent::BackOff {
                    role: Role::App,
                    delay,
                } => Some(delay.as_millis()),
                _ => None,
            })
            .await,
        );
    }
    assert_eq!(delays, [0, 100, 200, 400]);
    pod.stop(Duration::from_secs(2)).await;
}

#[tokio::test]
async fn exit_88_restarts_both_without_back_off_again_and_again() {
    let (pod, mut events) =
        LocalPod::start(spec("exec sleep 600", "sleep 0.05; exit 88", 1.0)).unwrap();
    let (mut before, restarts) = started(&mut events, Role::App).await;
    assert_eq!(restarts, 0);
    // At the kubelet's pace a counted restart would wait 10 s from the second time on.
    let begin = Instant::now();
    for round in 1..=4 {
        let (pid, restarts) = started(&mut events, Role::App).await;
        assert_eq!(restarts, round);
        assert_ne!(pid, before);
        assert!(
            !alive(before),
            "the old app is gone before the new one starts"
        );
        before = pid;
    }
    assert!(begin.elapsed() < Duration::from_secs(8));
    pod.stop(Duration::from_secs(2)).await;
}

#[tokio::test]
async fn an_app_that_ignores_sigterm_is_killed_two_seconds_after_exit_88() {
    let app = "trap '' TERM; while :; do sleep 0.1; done";
    let (pod, mut events) = LocalPod::start(spec(app, "sleep 0.3; exit 88", 1.0)).unwrap();
    until(&mut events, |event| {
        (*event == PodEvent::RestartAll).then_some(())
    })
    .await;
    let begin = Instant::now();
    let signal = until(&mut events, |event| match event {
        PodEvent::Exited {
            role: Role::App,
            signal,
            ..
        } => Some(*signal),
        _ => None,
    })
    .await;
    assert_eq!(signal, Some(Signal::KILL.as_raw()));
    assert!(begin.elapsed() >= Duration::from_millis(1900));
    drop(pod);
}

#[tokio::test]
async fn any_other_exit_of_the_sidecar_leaves_the_app_alone() {
    for code in [0, 1, 2, 78, 87, 89, 101] {
        let sidecar = format!("exit {code}");
        let (pod, mut events) = LocalPod::start(spec("exec sleep 600", &sidecar, 0.001)).unwrap();
        let (app, _) = started(&mut events, Role::App).await;
        for _ in 0..3 {
            let exit = until(&mut events, |event| match event {
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
async fn exit_88_cuts_a_running_back_off_short() {
    let app = "exit 1";
    let (pod, mut events) = LocalPod::start(spec(app, "sleep 0.3; exit 88", 1.0)).unwrap();
    until(&mut events, |event| match event {
        PodEvent::BackOff {
            role: Role::App,
            delay,
        } => (*delay >= Duration::from_secs(10)).then_some(()),
        _ => None,
    })
    .await;
    let begin = Instant::now();
    started(&mut events, Role::App).await;
    assert!(begin.elapsed() < Duration::from_secs(5));
    drop(pod);
}

#[tokio::test]
async fn what_an_app_has_started_ends_with_it() {
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
    let (pod, _events) = LocalPod::start(spec).unwrap();
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
    // Orphans are reaped by init, which may take a moment.
    while children.iter().any(|pid| alive(*pid)) && begin.elapsed() < SOON {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(children.iter().all(|pid| !alive(*pid)));
}

#[tokio::test]
async fn stop_ends_the_app_before_the_sidecar() {
    let (pod, mut events) = LocalPod::start(spec("exec sleep 600", "exec sleep 600", 1.0)).unwrap();
    started(&mut events, Role::App).await;
    pod.stop(Duration::from_secs(5)).await;
    let mut order = Vec::new();
    while let Some(event) = events.recv().await {
        if let PodEvent::Exited { role, signal, .. } = event {
            order.push((role, signal));
        }
    }
    let term = Some(Signal::TERM.as_raw());
    assert_eq!(order, [(Role::App, term), (Role::Sidecar, term)]);
}

#[tokio::test]
async fn who_does_not_wait_for_the_end_has_it_at_once() {
    let stubborn = "trap '' TERM; while :; do sleep 0.1; done";
    let (pod, mut events) = LocalPod::start(spec(stubborn, stubborn, 1.0)).unwrap();
    let (app, _) = started(&mut events, Role::App).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begin = Instant::now();
    let patience = Duration::from_millis(300);
    let stopped = tokio::time::timeout(patience, pod.stop(Duration::from_secs(60))).await;
    assert!(stopped.is_err());
    assert!(!alive(app));
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_an_event_and_is_tried_again() {
    let mut spec = spec("exec sleep 600", "exec sleep 600", 0.01);
    spec.app = CommandLine::new("/no/such/program");
    let (pod, mut events) = LocalPod::start(spec).unwrap();
    for _ in 0..2 {
        let error = until(&mut events, |event| match event {
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

/// Not even SIGKILL of the pod leaves its children behind.
#[tokio::test]
async fn the_app_ends_when_the_pod_is_killed() {
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
