use std::time::Duration;

use healing_core::decision::Decision;

use super::*;
use crate::app_client::CareError;
use crate::store::{Identity, Intent};
use crate::testing::{Fixture, forbidden, health, restart, timed_out, valid};

/// Returns the parts of a doctor that finds an intent to restart instance `a`.
fn unfinished(decision: &Decision, restart: Restart) -> Fixture {
    let mut fixture = Fixture::new();
    let wall = fixture.policy.now().wall;
    let intent = Intent::new(&Identity::of(&health("a")), decision, restart, wall);
    let mut context = fixture.context();
    context.report_restart(TreatmentResult::Started);
    let state = context.policy.state();
    context.store.write_intent(intent, state).unwrap();
    Fixture::restored(fixture.dir)
}

async fn answer(fixture: &mut Fixture, care: ProbeResult<Health>) {
    let drain = fixture.drain();
    settle(&mut fixture.context(), &drain, &care).await;
}

#[tokio::test]
async fn new_instance_settles_intent_as_restarted() {
    let mut fixture = unfinished(&restart(false), Restart::Exit);
    answer(&mut fixture, valid(health("b"))).await;
    assert_eq!(fixture.kinds(), ["restarted"]);
    assert_eq!(fixture.journal().last().unwrap()["instance_id"], "b");
    assert_eq!(fixture.app.heals(), Vec::<&str>::new(), "no undrain");
    assert_eq!(fixture.saved_intent(), None);
    assert!(
        fixture.policy.state().current_treatment().is_some(),
        "the policy judges the recovery"
    );
}

#[tokio::test]
async fn same_instance_is_undrained_and_aborts_intent() {
    let mut fixture = unfinished(&restart(false), Restart::Exit);
    answer(&mut fixture, valid(health("a"))).await;
    assert_eq!(fixture.app.heals(), ["undrain"]);
    assert_eq!(fixture.kinds(), ["treatment", "aborted"]);
    let journal = fixture.journal();
    let [.., treatment, aborted] = journal.as_slice() else {
        panic!("{journal:?}")
    };
    assert_eq!(treatment["treatment"]["result"], "aborted");
    assert_eq!(aborted["why"], "the same instance answers");
    assert_eq!(fixture.saved_intent(), None);
}

#[tokio::test]
async fn same_instance_after_wedge_is_not_undrained() {
    let mut fixture = unfinished(&restart(true), Restart::Exit);
    answer(&mut fixture, valid(health("a"))).await;
    assert_eq!(fixture.app.heals(), Vec::<&str>::new());
    assert_eq!(fixture.kinds(), ["treatment", "aborted"]);
}

#[tokio::test]
async fn intent_waits_for_an_answer() {
    let mut fixture = unfinished(&restart(false), Restart::Exit);
    for care in [ProbeResult::Refused, ProbeResult::TimedOut] {
        answer(&mut fixture, care).await;
    }
    assert_eq!(fixture.kinds(), Vec::<String>::new());
    assert!(fixture.saved_intent().is_some());
}

#[tokio::test]
async fn intent_waits_until_undrain_is_answered() {
    let mut fixture = unfinished(&restart(false), Restart::Exit);
    fixture.app.refuse(|_| Some(timed_out()));
    answer(&mut fixture, valid(health("a"))).await;
    assert!(fixture.saved_intent().is_some());
    let refusal: fn() -> CareError = forbidden;
    fixture.app.refuse(move |_| Some(refusal()));
    answer(&mut fixture, valid(health("a"))).await;
    assert_eq!(fixture.app.heals(), ["undrain", "undrain"]);
    assert_eq!(fixture.saved_intent(), None);
}

#[tokio::test]
async fn condemned_instance_keeps_intent_until_it_ends() {
    let mut fixture = unfinished(&restart(false), Restart::Liveness);
    let mut condemned = health("a");
    condemned.condemned = true;
    answer(&mut fixture, valid(condemned)).await;
    assert!(fixture.saved_intent().is_some());
    answer(&mut fixture, valid(health("b"))).await;
    assert_eq!(fixture.kinds(), ["restarted"]);
    assert_eq!(fixture.app.heals(), Vec::<&str>::new());
}

#[tokio::test]
async fn settle_does_nothing_without_intent() {
    let mut fixture = Fixture::new();
    let answered = ProbeResult::Valid(health("a"), Duration::ZERO);
    answer(&mut fixture, answered).await;
    assert_eq!(fixture.kinds(), Vec::<String>::new());
}
