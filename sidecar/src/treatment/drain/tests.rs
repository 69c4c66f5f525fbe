use super::*;
use crate::testing::{Fixture, forbidden, health, timed_out, valid};

async fn run(fixture: &mut Fixture) -> Duration {
    let begin = Instant::now();
    let drain = fixture.drain();
    drain.run(&fixture.app, &mut fixture.recorder).await;
    begin.elapsed()
}

#[tokio::test(start_paused = true)]
async fn drain_waits_until_nothing_is_in_flight() {
    let mut fixture = Fixture::new();
    fixture.app.respond(|probe| {
        let mut health = health("a");
        health.in_flight = Some(if probe < 5 { 3 } else { 0 });
        (valid(health), valid(()))
    });
    let took = run(&mut fixture).await;
    assert_eq!(took, fixture.settings.drain_settle + POLL_INTERVAL * 5);
    assert_eq!(fixture.journal()[0]["open_requests"], 0);
}

#[tokio::test(start_paused = true)]
async fn drain_stops_at_its_timeout() {
    let mut fixture = Fixture::new();
    let mut busy = health("a");
    busy.in_flight = Some(1);
    fixture.app.always(valid(busy));
    let took = run(&mut fixture).await;
    let limit = fixture.settings.drain_settle + fixture.settings.drain_timeout;
    assert!(took >= limit && took <= limit + POLL_INTERVAL, "{took:?}");
    assert_eq!(fixture.journal()[0]["open_requests"], 1);
}

#[tokio::test(start_paused = true)]
async fn drain_of_unresponsive_app_stops_at_its_timeout() {
    let mut fixture = Fixture::new();
    fixture.app.always(ProbeResult::TimedOut);
    let took = run(&mut fixture).await;
    assert!(took >= fixture.settings.drain_settle + fixture.settings.drain_timeout);
    assert!(fixture.journal()[0]["open_requests"].is_null());
}

#[tokio::test(start_paused = true)]
async fn drain_lease_is_renewed() {
    let mut fixture = Fixture::new();
    fixture.settings.drain_settle = Duration::from_secs(5);
    fixture.settings.drain_timeout = Duration::from_secs(20);
    let mut busy = health("a");
    busy.in_flight = Some(1);
    fixture.app.always(valid(busy));
    run(&mut fixture).await;
    let calls = fixture.app.calls();
    let renewals: Vec<u64> = calls
        .iter()
        .filter(|call| call.name == "drain")
        .map(|call| call.at.as_secs())
        .collect();
    assert_eq!(renewals, [0, 10, 20]);
}

#[tokio::test(start_paused = true)]
async fn drain_returns_immediately_when_app_refuses_it() {
    let mut fixture = Fixture::new();
    fixture.app.refuse(|_| Some(forbidden()));
    assert_eq!(run(&mut fixture).await, Duration::ZERO);
    assert!(fixture.journal().is_empty());
}

#[tokio::test]
async fn undrain_is_complete_after_any_response() {
    let fixture = Fixture::new();
    let drain = fixture.drain();
    assert!(drain.undrain(&fixture.app).await);
    fixture.app.refuse(|_| Some(forbidden()));
    assert!(drain.undrain(&fixture.app).await);
    fixture.app.refuse(|_| Some(timed_out()));
    assert!(!drain.undrain(&fixture.app).await);
}
