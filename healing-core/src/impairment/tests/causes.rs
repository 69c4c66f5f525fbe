//! Causes that a treatment does not change, and the last resort.

use super::super::*;
use super::world::*;

#[test]
fn cpu_of_the_requests_vetoes() {
    let mut world = World::usual(20.0);
    (world.good, world.cpu) = (0.4, 0.99);
    let latest = world.run(60);
    assert!(latest.hard.is_some() && latest.vetoes.contains(Reason::CpuSaturated));
    world.cpu = 0.5;
    assert!(world.run(60).vetoes.is_empty());
}

#[test]
fn surge_before_a_collapse_is_saturation_and_a_retry_storm_is_not() {
    for (surge, expected) in [(2.0, true), (1.0, false)] {
        let mut world = World::usual(50.0);
        world.arrivals = 100.0;
        world.good = 0.5 * surge;
        world.run(20);
        (world.arrivals, world.good) = (150.0, 0.0);
        let latest = world.run(90);
        assert!(latest.hard.is_some());
        assert_eq!(latest.vetoes.contains(Reason::Saturated), expected);
    }
}

#[test]
fn last_resort_is_tried_once_although_load_is_the_cause() {
    let mut world = World::usual(20.0);
    (world.good, world.cpu) = (0.0, 1.0);
    let is_last_resort = |a: &Assessment| a.hard == Some(Reason::LastResort) && a.vetoes.is_empty();
    let seconds = world.seconds_until(is_last_resort).unwrap();
    assert!((300..=350).contains(&seconds), "{seconds}");
    world.restart();
    assert_eq!(world.seconds_until(is_last_resort), None);
}

#[test]
fn restart_that_did_not_help_is_not_repeated() {
    let mut world = World::usual(20.0);
    world.good = 0.0;
    world.seconds_until(|a| a.hard.is_some()).unwrap();
    world.restart();
    assert_eq!(world.run(55).hard, None, "its effect is not known yet");
    let latest = world.run(20);
    assert!(latest.hard.is_some() && latest.vetoes.contains(Reason::RestartDoesNotHelp));
    world.good = 1.0;
    assert!(world.run(700).vetoes.is_empty(), "recovered for 10 min");
}

#[test]
fn restart_that_helped_may_be_repeated() {
    let mut world = World::usual(20.0);
    world.good = 0.0;
    world.seconds_until(|a| a.hard.is_some()).unwrap();
    world.restart();
    world.good = 1.0;
    world.run(120);
    world.good = 0.0;
    let again = world.seconds_until(|a| a.hard.is_some() && a.vetoes.is_empty());
    assert!(again.is_some());
}

#[test]
fn last_resort_is_used_where_the_app_itself_uses_up_its_quota() {
    let mut world = World::usual(100.0);
    (world.good, world.cpu, world.throttled) = (0.0, 1.0, 0.9);
    let hard = world.seconds_until(|latest| latest.hard == Some(Reason::LastResort));
    assert!(hard.is_some_and(|seconds| seconds >= 300), "{hard:?}");
    let mut world = World::usual(100.0);
    (world.good, world.cpu, world.throttled) = (0.0, 0.1, 0.9);
    let hard = world.seconds_until(|latest| latest.hard == Some(Reason::LastResort));
    assert_eq!(hard, None, "a neighbour or a cut of the quota is the cause");
}
