use serde_json::Value;

use super::*;
use crate::app_client::http::NoResponse;
use crate::testing::{Fixture, forbidden, timed_out};

/// Returns the journal entry of a soft heal that fails with this error.
async fn entry(error: Option<fn() -> CareError>) -> Value {
    let mut fixture = Fixture::new();
    fixture.app.refuse(move |_| error.map(|error| error()));
    SoftHeal::new(&fixture.settings, fixture.shared.heartbeat.clone())
        .run(&fixture.app, &mut fixture.policy, &mut fixture.recorder)
        .await;
    assert_eq!(fixture.app.heals(), ["reset_errors"]);
    assert!(fixture.store.intent().is_none());
    let journal = fixture.journal();
    assert_eq!(journal.len(), 1);
    assert_eq!(journal[0]["kind"], "treatment");
    assert_eq!(journal[0]["treatment"]["action"], "reset_errors");
    journal[0].clone()
}

#[tokio::test]
async fn soft_heal_is_done_when_app_accepts() {
    let entry = entry(None).await;
    assert_eq!(entry["treatment"]["result"], "done");
    assert_eq!(entry["detail"]["response"]["message"], "done");
}

#[tokio::test]
async fn soft_heal_is_aborted_when_it_certainly_did_not_begin() {
    let errors: [fn() -> CareError; 2] = [forbidden, || CareError::NoResponse(NoResponse::Refused)];
    for error in errors {
        let entry = entry(Some(error)).await;
        assert_eq!(entry["treatment"]["result"], "aborted");
    }
}

#[tokio::test]
async fn soft_heal_is_failed_when_it_may_have_begun() {
    let errors: [fn() -> CareError; 2] = [timed_out, || CareError::Malformed];
    for error in errors {
        let entry = entry(Some(error)).await;
        assert_eq!(entry["treatment"]["result"], "failed");
        assert!(entry["detail"]["error"].is_string());
    }
}
