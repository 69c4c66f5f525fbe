//! Health reports that are repeated, out of order, or contain numbers that are not finite.

use std::time::Duration;

use healing_core::decision::Reason;
use healing_core::features::Feature;
use healing_core::observation::ProbeResult;

use crate::world::{App, World, poll_with};

#[test]
fn duplicate_poll_counts_once() {
    let mut world = World::new(App::healthy(100.0));
    world.run(60.0);
    world.app.failing = 0.5;
    world.poll();
    let observation = world.observation();
    let first = world.policy.step(world.now, &observation);
    for _ in 0..20 {
        assert_eq!(world.policy.step(world.now, &observation), first);
    }
    assert_eq!(first.evidence, Reason::InsufficientEvidence);
}

#[test]
fn stale_report_changes_nothing() {
    let mut world = World::new(App::healthy(100.0));
    world.run(60.0);
    let old = world.app.health();
    world.run(60.0);
    assert_eq!(poll_with(&mut world, old).reason, Reason::StaleAnswer);
    let decisions = world.run(60.0);
    assert!(
        decisions
            .iter()
            .all(|decision| decision.reason == Reason::Healthy)
    );
}

#[test]
fn late_report_of_a_replaced_process_is_stale() {
    let mut world = World::new(App::healthy(100.0));
    world.run(60.0);
    let last = world.app.health();
    world.app.restart();
    world.run(60.0);
    assert_eq!(poll_with(&mut world, last).reason, Reason::StaleAnswer);
    let after = world.run(60.0);
    assert!(
        after
            .iter()
            .all(|d| d.features.get(Feature::RecentRestarts) == Some(1.0))
    );
}

#[test]
fn numbers_that_are_not_finite_are_not_a_symptom() {
    let mut world = World::new(App::healthy(100.0));
    world.circumstances.process_alive = Some(true);
    world.run(60.0);
    let mut health = world.app.health();
    health.uptime = f64::NAN;
    health.cpu_usage = Some(f64::INFINITY);
    health.memory_usage = Some(f64::NAN);
    health.runtime.as_mut().unwrap().lag_seconds = f64::NAN;
    world.app.care = Some(ProbeResult::Valid(health, Duration::ZERO));
    world.run(600.0);
    assert_eq!(world.actions(), []);
}
