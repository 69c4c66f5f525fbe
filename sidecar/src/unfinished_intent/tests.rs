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

async fn resolve_on(fixture: &mut Fixture, care: ProbeResult<Health>) {
    let drain = fixture.drain();
    resolve(&mut fixture.context(), &drain, &care).await;
}

#[tokio::test]
async fn new_instance_resolves_intent_as_restarted() {
    let mut fixture = unfinished(&restart(false), Restart::Exit);
    resolve_on(&mut fixture, valid(health("b"))).await;
    assert_eq!(fixture.kinds(), ["restarted"]);
    assert_eq!(fixture.journal().last().unwrap()["instance_id"], "b");
    assert_eq!(fixture.app.heals(), Vec::<&str>::new(), "no undrain");
    assert_eq!(fixture.saved_intent(), None);
    assert!(
        fixture.policy.state().current_treatment().is_some(),
        "the app is on probation"
    );
}

#[tokio::test]
async fn same_instance_is_undrained_and_aborts_intent() {
    let mut fixture = unfinished(&restart(false), Restart::Exit);
    resolve_on(&mut fixture, valid(health("a"))).await;
    assert_eq!(fixture.app.heals(), ["undrain"]);
    assert_eq!(fixture.kinds(), ["treatment", "aborted"]);
    let journal = fixture.journal();
    let [.., treatment, aborted] = journal.as_slice() else {
        panic!("{journal:?}")
    };
    assert_eq!(treatment["treatment"]["result"], "aborted");
    assert_eq!(aborted["reason"], "the same instance is still running");
    assert_eq!(fixture.saved_intent(), None);
}

#[tokio::test]
async fn same_instance_after_stall_is_not_undrained() {
    let mut fixture = unfinished(&restart(true), Restart::Exit);
    resolve_on(&mut fixture, valid(health("a"))).await;
    assert_eq!(fixture.app.heals(), Vec::<&str>::new());
    assert_eq!(fixture.kinds(), ["treatment", "aborted"]);
}

#[tokio::test]
async fn intent_waits_for_a_valid_report() {
    let mut fixture = unfinished(&restart(false), Restart::Exit);
    for care in [ProbeResult::Refused, ProbeResult::TimedOut] {
        resolve_on(&mut fixture, care).await;
    }
    assert_eq!(fixture.kinds(), Vec::<String>::new());
    assert!(fixture.saved_intent().is_some());
}

#[tokio::test]
async fn intent_waits_for_response_to_undrain() {
    let mut fixture = unfinished(&restart(false), Restart::Exit);
    fixture.app.refuse(|_| Some(timed_out()));
    resolve_on(&mut fixture, valid(health("a"))).await;
    assert!(fixture.saved_intent().is_some());
    let refusal: fn() -> CareError = forbidden;
    fixture.app.refuse(move |_| Some(refusal()));
    resolve_on(&mut fixture, valid(health("a"))).await;
    assert_eq!(fixture.app.heals(), ["undrain", "undrain"]);
    assert_eq!(fixture.saved_intent(), None);
}

#[tokio::test]
async fn intent_stays_until_condemned_instance_is_replaced() {
    let mut fixture = unfinished(&restart(false), Restart::Liveness);
    let mut condemned = health("a");
    condemned.condemned = true;
    resolve_on(&mut fixture, valid(condemned)).await;
    assert!(fixture.saved_intent().is_some());
    resolve_on(&mut fixture, valid(health("b"))).await;
    assert_eq!(fixture.kinds(), ["restarted"]);
    assert_eq!(fixture.app.heals(), Vec::<&str>::new());
}

#[tokio::test]
async fn resolve_does_nothing_without_intent() {
    let mut fixture = Fixture::new();
    let report = ProbeResult::Valid(health("a"), Duration::ZERO);
    resolve_on(&mut fixture, report).await;
    assert_eq!(fixture.kinds(), Vec::<String>::new());
}
