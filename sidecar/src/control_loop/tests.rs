use healing_core::observation::PortSockets;
use serde_json::Value;
use tokio::time::timeout;

use super::*;
use crate::app_client::CareError;
use crate::config::Restart;
use crate::sockets::Unreadable;
use crate::testing::{FakeApp, Fixture, forbidden, health, valid};

/// Number of healthy probes before a fault, so that the app counts as available.
const HEALTHY_PROBES: usize = 200;

fn start(fixture: &Fixture) -> ControlLoop<Arc<FakeApp>> {
    ControlLoop::start(
        &fixture.settings,
        Arc::clone(&fixture.shared),
        Arc::clone(&fixture.app),
    )
}

/// Runs a loop for a time. Returns `true` if it returned for a restart.
async fn run(fixture: &Fixture, seconds: u64) -> bool {
    let limit = Duration::from_secs(seconds);
    timeout(limit, start(fixture).run()).await.is_ok()
}

/// Makes the app's runtime stall after [`HEALTHY_PROBES`].
fn stall(fixture: &Fixture) {
    fixture.app.respond(|probe| {
        let mut health = health("a");
        if probe < HEALTHY_PROBES {
            return (valid(health), valid(()));
        }
        health.runtime.as_mut().unwrap().stalled = true;
        (valid(health), ProbeResult::TimedOut)
    });
}

/// Makes half of the app's requests fail after [`HEALTHY_PROBES`].
fn fail_requests(fixture: &Fixture) {
    fixture.app.respond(|probe| {
        let mut health = health("a");
        let failed = probe.saturating_sub(HEALTHY_PROBES) as u64 * 10;
        health.totals.requests_total = Some(probe as u64 * 20);
        health.totals.errors_total = Some(failed);
        health.error_count = failed;
        (valid(health), valid(()))
    });
}

fn decisions(fixture: &Fixture, verdict: &str) -> Vec<Value> {
    let entries = fixture.journal().into_iter();
    entries
        .filter(|entry| entry["kind"] == "decision" && entry["decision"]["verdict"] == verdict)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn loop_polls_healthy_app_without_treatment() {
    let fixture = Fixture::new();
    assert!(!run(&fixture, 60).await);
    assert_eq!(fixture.app.heals(), Vec::<&str>::new());
    let polls = fixture.app.calls().len();
    assert!((239..=241).contains(&polls), "{polls} polls, every 250 ms");
    let journal = fixture.journal();
    assert_eq!(journal[0]["kind"], "start");
    assert_eq!(journal[0]["state"], "none (first start)");
    assert!(fixture.dir.path().join("state.json").exists());
}

#[tokio::test(start_paused = true)]
async fn loop_exits_for_stalled_app_with_intent_on_disk() {
    let fixture = Fixture::new();
    stall(&fixture);
    assert!(run(&fixture, 120).await);
    assert_eq!(fixture.app.heals(), Vec::<&str>::new(), "no drain");
    assert_eq!(fixture.kinds().last().unwrap(), "exit");
    let intent = fixture.saved_intent().unwrap();
    assert_eq!(intent["instance_id"], "a");
    assert_eq!(intent["reason"], "runtime_stalled");
}

#[tokio::test(start_paused = true)]
async fn loop_after_exit_records_recovery_of_new_instance() {
    let before = Fixture::new();
    stall(&before);
    assert!(run(&before, 120).await);

    let fixture = Fixture::restored(before.dir);
    fixture.app.always(valid(health("b")));
    assert!(!run(&fixture, 60).await);
    let kinds = fixture.kinds();
    assert_eq!(kinds[..2], ["start", "restarted"]);
    let journal = fixture.journal();
    let outcome = journal.iter().find(|entry| entry["kind"] == "outcome");
    assert_eq!(outcome.unwrap()["outcome"], "recovered");
    assert_eq!(fixture.saved_intent(), None);
}

#[tokio::test(start_paused = true)]
async fn loop_only_reports_stalled_app_while_observing() {
    let mut fixture = Fixture::new();
    fixture.settings.mode = Mode::Observe;
    stall(&fixture);
    assert!(!run(&fixture, 120).await);
    assert_eq!(fixture.saved_intent(), None);
    let vetoed = decisions(&fixture, "vetoed");
    assert!(!vetoed.is_empty());
    assert_eq!(fixture.app.heals(), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn loop_does_not_treat_stalled_app_while_paused() {
    let fixture = Fixture::new();
    stall(&fixture);
    let pause = Pause {
        reason: "maintenance".to_owned(),
        until_unix_ms: None,
    };
    pause.write(fixture.dir.path()).unwrap();
    assert!(!run(&fixture, 120).await);
    assert_eq!(fixture.shared.metrics.paused.get(), 1);
    assert_eq!(fixture.shared.view().paused.as_deref(), Some("maintenance"));
    Pause::remove(fixture.dir.path()).unwrap();
    let resumed = Fixture::restored(fixture.dir);
    stall(&resumed);
    assert!(run(&resumed, 120).await);
}

#[tokio::test(start_paused = true)]
async fn loop_does_not_exit_while_state_cannot_be_written() {
    let fixture = Fixture::new();
    stall(&fixture);
    fixture.break_state_dir();
    assert!(!run(&fixture, 120).await);
    assert_eq!(fixture.shared.metrics.state_writable.get(), 0);
    let vetoes = &fixture.shared.metrics.vetoes;
    assert!(vetoes.with_label_values(&["state_unavailable"]).get() > 0);
}

#[tokio::test(start_paused = true)]
async fn loop_heals_softly_before_it_drains_and_exits() {
    let fixture = Fixture::new();
    fail_requests(&fixture);
    assert!(run(&fixture, 600).await);
    let heals = fixture.app.heals();
    assert_eq!(heals[0], "reset_errors");
    assert_eq!(*heals.last().unwrap(), "drain");
    let calls = fixture.app.calls();
    let drain = calls.iter().find(|call| call.name == "drain").unwrap();
    assert!(drain.state.as_ref().unwrap().get("intent").is_some());
}

#[tokio::test(start_paused = true)]
async fn loop_continues_after_condemning_the_app() {
    let mut fixture = Fixture::new();
    fixture.settings.restart = Restart::Liveness;
    let app = Arc::clone(&fixture.app);
    let mut condemned_since = None;
    fixture.app.respond(move |probe| {
        let condemned = app.heals().contains(&"restart_service");
        if condemned && condemned_since.is_none() {
            condemned_since = Some(probe);
        }
        let mut health = match condemned_since {
            Some(since) if probe > since + 8 => health("b"),
            _ => health("a"),
        };
        health.condemned = condemned && health.instance_id.as_deref() == Some("a");
        let stalled = probe >= HEALTHY_PROBES && health.instance_id.as_deref() == Some("a");
        health.runtime.as_mut().unwrap().stalled = stalled;
        let front_door = if stalled {
            ProbeResult::TimedOut
        } else {
            valid(())
        };
        (valid(health), front_door)
    });
    assert!(!run(&fixture, 180).await);
    assert_eq!(fixture.app.heals(), ["restart_service"]);
    let kinds: Vec<Value> = fixture
        .journal()
        .iter()
        .map(|entry| entry["kind"].clone())
        .filter(|kind| *kind != "decision" && *kind != "summary")
        .collect();
    assert_eq!(
        kinds,
        [
            "start",
            "diagnostics",
            "treatment",
            "intent",
            "condemned",
            "restarted",
            "outcome"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn loop_does_not_restart_app_whose_soft_heals_are_refused() {
    let fixture = Fixture::new();
    fail_requests(&fixture);
    let refusal: fn() -> CareError = forbidden;
    fixture.app.refuse(move |_| Some(refusal()));
    run(&fixture, 30 + HEALTHY_PROBES as u64 / 4).await;
    let heals = fixture.app.heals();
    assert!(!heals.is_empty());
    assert!(
        heals.iter().all(|action| *action == "reset_errors"),
        "{heals:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn loop_saves_state_after_soft_heal() {
    let fixture = Fixture::new();
    fail_requests(&fixture);
    let healed = async {
        while !fixture.app.heals().contains(&"reset_errors") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        _ = start(&fixture).run() => panic!("the loop returned"),
        () = healed => {}
    }
    let resumed = Fixture::restored(fixture.dir);
    assert_eq!(
        resumed.policy.state().current_treatment(),
        Some(Action::ResetErrors),
        "a later process verifies the soft heal"
    );
}

fn polls(fixture: &Fixture, result: &str) -> u64 {
    let polls = &fixture.shared.metrics.polls;
    polls.with_label_values(&[result]).get()
}

#[tokio::test(start_paused = true)]
async fn poll_is_late_if_the_doctor_is_stopped_during_a_probe() {
    let fixture = Fixture::new();
    fixture.app.stop_doctor(Duration::from_secs(3));
    assert!(!run(&fixture, 60).await);
    assert_eq!(polls(&fixture, "late"), 1);
    assert!(polls(&fixture, "reported") > 200);
    let journal = fixture.journal();
    let first = journal.iter().find(|entry| entry["kind"] == "decision");
    assert_eq!(first.unwrap()["observation"]["late"], true);
}

#[tokio::test(start_paused = true)]
async fn poll_is_late_after_a_stop_between_polls_and_missed_polls_are_skipped() {
    let fixture = Fixture::new();
    let stop = async {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        tokio::time::advance(Duration::from_secs(20)).await;
    };
    tokio::join!(run(&fixture, 31), stop);
    assert_eq!(polls(&fixture, "late"), 1);
    let times = fixture.app.calls().into_iter().map(|call| call.at);
    let (before, after): (Vec<_>, Vec<_>) = times.partition(|at| at.as_secs() < 20);
    assert_eq!(before.len(), 5, "at 0 to 1000 ms");
    assert!((39..=41).contains(&after.len()), "{after:?}");
    let off_schedule = after.iter().skip(1).map(|at| at.as_millis() % 250);
    assert!(off_schedule.max().unwrap() <= 2, "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn poll_is_late_if_names_are_not_resolved_in_time() {
    for resolution in [None, Some(Duration::from_secs(1))] {
        let fixture = Fixture::new();
        fixture.app.set_resolution(resolution);
        assert!(!run(&fixture, 10).await);
        assert!(polls(&fixture, "late") > 30);
        assert_eq!(polls(&fixture, "reported"), 0);
    }
    let fixture = Fixture::new();
    fixture.app.set_resolution(Some(Duration::from_millis(100)));
    assert!(!run(&fixture, 10).await);
    assert_eq!(polls(&fixture, "late"), 0);
}

#[tokio::test(start_paused = true)]
async fn sockets_are_published_while_they_can_be_read() {
    let fixture = Fixture::new();
    let sockets = PortSockets {
        backlog: 3,
        established: 9,
        unread: 5,
        unread_bytes: 700,
        listening: true,
        ..PortSockets::default()
    };
    fixture.app.set_sockets(Ok(sockets));
    run(&fixture, 1).await;
    let text = String::from_utf8(fixture.shared.metrics.text()).unwrap();
    for line in [
        "healing_sockets_readable 1\n",
        "healing_app_accept_backlog 3\n",
        "healing_app_connections 9\n",
        "healing_app_unread_sockets 5\n",
        "healing_app_unread_bytes 700\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert_eq!(fixture.shared.view().sockets, Some(sockets));
    assert_eq!(fixture.shared.view().sockets_unreadable, None);
    assert_eq!(fixture.journal()[1]["observation"]["sockets"]["unread"], 5);

    fixture.app.set_sockets(Err(Unreadable::NoListener(5000)));
    run(&fixture, 1).await;
    let text = String::from_utf8(fixture.shared.metrics.text()).unwrap();
    assert!(text.contains("healing_sockets_readable 0\n"));
    assert!(!text.contains("healing_app_"), "{text}");
    let view = fixture.shared.view();
    assert_eq!(view.sockets, None);
    let reason = view.sockets_unreadable.clone().unwrap();
    assert!(reason.contains("listens on port 5000"), "{reason}");
}
