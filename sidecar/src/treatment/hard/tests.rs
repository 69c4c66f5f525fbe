use healing_core::decision::Action;
use serde_json::Value;

use super::*;
use crate::testing::{Call, Fixture, forbidden, health, poll, restart, timed_out, valid};

fn target() -> Identity {
    Identity::of(&health("a"))
}

async fn run(fixture: &mut Fixture, decision: &Decision) -> HardHealResult {
    let heartbeat = fixture.shared.heartbeat.clone();
    let hard_heal = HardHeal::new(&fixture.settings, fixture.drain(), heartbeat);
    let mut context = fixture.context();
    hard_heal
        .run(&mut context, &poll(), decision, &target())
        .await
}

fn names(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.name).collect()
}

fn treatments(fixture: &Fixture) -> Vec<Value> {
    let entries = fixture.journal().into_iter();
    entries
        .filter(|entry| entry["kind"] == "treatment")
        .map(|entry| entry["treatment"]["result"].clone())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn hard_heal_records_saves_intent_drains_rechecks_and_exits_in_order() {
    let mut fixture = Fixture::new();
    let outcome = run(&mut fixture, &restart(false)).await;
    assert!(matches!(outcome, HardHealResult::ExitForRestart(_)));

    let calls = fixture.app.calls();
    assert_eq!(names(&calls), ["drain", "health", "health"]);
    let (drain, second_look) = (&calls[0], &calls[2]);
    assert_eq!(drain.journal, ["diagnostics", "treatment", "intent"]);
    let state = drain.state.as_ref().unwrap();
    assert_eq!(
        state["intent"]["instance_id"], "a",
        "saved before the drain"
    );
    assert_eq!(state["intent"]["pid"], 42);
    assert_eq!(
        second_look.journal,
        ["diagnostics", "treatment", "intent", "drain"]
    );
    assert!(second_look.at >= fixture.settings.drain_settle);
    assert_eq!(
        fixture.kinds(),
        ["diagnostics", "treatment", "intent", "drain", "exit"]
    );
    let journal = fixture.journal();
    assert_eq!(journal[0]["observation"]["care"]["result"], "valid");
    assert_eq!(journal[4]["code"], 88);
    assert_eq!(treatments(&fixture), ["started"]);
    assert_eq!(
        fixture.policy.state().current_treatment(),
        Some(Action::RestartService)
    );
    assert!(fixture.saved_intent().is_some(), "for the next doctor");
}

#[test]
fn exit_for_restart_is_exit_code_88() {
    let exit = ExitCode::from(ExitForRestart(()));
    assert_eq!(format!("{exit:?}"), format!("{:?}", ExitCode::from(88)));
}

#[tokio::test(start_paused = true)]
async fn hard_heal_of_stalled_app_does_not_drain() {
    let mut fixture = Fixture::new();
    let outcome = run(&mut fixture, &restart(true)).await;
    assert!(matches!(outcome, HardHealResult::ExitForRestart(_)));
    assert_eq!(names(&fixture.app.calls()), ["health"]);
    assert_eq!(fixture.saved_intent().unwrap()["wedged"], true);
}

#[tokio::test(start_paused = true)]
async fn hard_heal_aborts_and_undrains_when_another_instance_is_running() {
    let mut fixture = Fixture::new();
    fixture.app.respond(|probe| {
        let instance = if probe == 0 { "a" } else { "b" };
        (valid(health(instance)), valid(()))
    });
    assert_eq!(
        run(&mut fixture, &restart(false)).await,
        HardHealResult::Aborted
    );
    assert_eq!(fixture.app.heals(), ["drain", "undrain"]);
    assert_eq!(treatments(&fixture), ["started", "aborted"]);
    let last = fixture.journal().pop().unwrap();
    assert_eq!(last["kind"], "aborted");
    assert_eq!(last["reason"], "another instance is already running");
    assert_eq!(fixture.saved_intent(), None);
    assert!(fixture.store.intent().is_none());
}

#[tokio::test(start_paused = true)]
async fn hard_heal_aborts_when_app_has_exited() {
    let mut fixture = Fixture::new();
    fixture.app.always(ProbeResult::Refused);
    assert_eq!(
        run(&mut fixture, &restart(false)).await,
        HardHealResult::Aborted
    );
    assert_eq!(fixture.app.heals(), ["drain", "undrain"]);
    assert_eq!(fixture.saved_intent(), None);
}

#[tokio::test(start_paused = true)]
async fn hard_heal_exits_when_sick_app_cannot_drain() {
    let mut fixture = Fixture::new();
    fixture.app.refuse(|_| Some(timed_out()));
    fixture.app.always(ProbeResult::TimedOut);
    let outcome = run(&mut fixture, &restart(false)).await;
    assert!(matches!(outcome, HardHealResult::ExitForRestart(_)));
    assert_eq!(names(&fixture.app.calls()), ["drain", "health"]);
}

#[tokio::test(start_paused = true)]
async fn hard_heal_does_not_exit_when_state_cannot_be_written() {
    for wedged in [false, true] {
        let mut fixture = Fixture::new();
        fixture.break_state_dir();
        let outcome = run(&mut fixture, &restart(wedged)).await;
        assert_eq!(outcome, HardHealResult::Aborted);
        assert!(!fixture.app.heals().contains(&"drain"));
        let kinds = fixture.kinds();
        assert!(!kinds.contains(&"exit".to_owned()), "{kinds:?}");
        assert_eq!(kinds.last().unwrap(), "aborted");
        assert!(!fixture.store.writable());
        assert_eq!(fixture.shared.metrics.state_writable.get(), 0);
        assert!(fixture.store.intent().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn hard_heal_by_liveness_condemns_and_does_not_exit() {
    let mut fixture = Fixture::new();
    fixture.settings.restart = Restart::Liveness;
    assert_eq!(
        run(&mut fixture, &restart(false)).await,
        HardHealResult::Condemned
    );
    let calls = fixture.app.calls();
    assert_eq!(names(&calls), ["restart_service"]);
    assert_eq!(calls[0].journal, ["diagnostics", "treatment", "intent"]);
    assert!(calls[0].state.as_ref().unwrap().get("intent").is_some());
    assert_eq!(fixture.kinds().last().unwrap(), "condemned");
    let intent = fixture.store.intent().unwrap();
    assert_eq!(
        intent.restart,
        Restart::Liveness,
        "the intent waits for another instance"
    );
}

#[tokio::test(start_paused = true)]
async fn hard_heal_by_liveness_aborts_when_app_refuses() {
    let mut fixture = Fixture::new();
    fixture.settings.restart = Restart::Liveness;
    fixture.app.refuse(|_| Some(forbidden()));
    assert_eq!(
        run(&mut fixture, &restart(false)).await,
        HardHealResult::Aborted
    );
    assert_eq!(fixture.app.heals(), ["restart_service"], "no undrain");
    assert_eq!(treatments(&fixture), ["started", "aborted"]);
    assert_eq!(fixture.saved_intent(), None);
}
