//! Evidence: its size, its duration, and the figures that it needs.

use super::super::*;
use super::world::*;
use crate::health::Health;
use crate::observation::*;

#[test]
fn healthy_app_is_not_impaired_at_any_rate() {
    for arrivals in [0.1, 1.0, 20.0, 1000.0] {
        let mut world = World::usual(arrivals);
        for factor in [1.0, 0.05, 3.0] {
            world.arrivals = arrivals * factor;
            let found = world.seconds_until(|a| a.soft.is_some() || a.hard.is_some());
            assert_eq!(found, None, "{arrivals} × {factor}");
        }
    }
}

#[test]
fn failing_requests_impair_by_their_share() {
    let mut world = World::usual(20.0);
    world.good = 0.3;
    assert!(is_ratio(&world.run(60), 0.7 - 0.02));
    let latest = world.poll();
    assert_eq!(
        (latest.soft, latest.hard),
        (Some(Reason::Impaired), Some(Reason::Impaired))
    );
    assert!(latest.vetoes.is_empty());
}

#[test]
fn mild_impairment_justifies_a_restart_only_after_the_soft_heal_had_time() {
    let mut world = World::usual(20.0);
    world.good = 0.65;
    let soft = world.seconds_until(|a| a.soft.is_some()).unwrap();
    world.soft_heal();
    let hard = world.seconds_until(|a| a.hard.is_some()).unwrap();
    assert!(
        (25..=40).contains(&soft) && (55..=65).contains(&hard),
        "{soft} {hard}"
    );
}

#[test]
fn soft_heal_that_helps_ends_the_evidence() {
    let mut world = World::usual(20.0);
    world.good = 0.0;
    world.seconds_until(|a| a.hard.is_some()).unwrap();
    world.soft_heal();
    world.good = 1.0;
    let latest = world.run(20);
    assert_eq!(
        (latest.soft, latest.hard, latest.ratio),
        (None, None, Some(0.0))
    );
}

#[test]
fn soft_heal_that_does_not_help_is_followed_by_a_restart_in_seconds() {
    let mut world = World::usual(20.0);
    world.good = 0.0;
    world.seconds_until(|a| a.soft.is_some()).unwrap();
    world.soft_heal();
    let hard = world.seconds_until(|a| a.hard.is_some()).unwrap();
    assert!((15..=20).contains(&hard), "{hard}");
}

#[test]
fn evidence_takes_the_same_time_at_every_poll_interval() {
    for (milliseconds, latest) in [
        (100, 45),
        (1000, 45),
        (5000, 45),
        (20_000, 80),
        (60_000, 240),
    ] {
        let mut world = World::new(20.0);
        world.interval = Duration::from_millis(milliseconds);
        world.run(600);
        world.good = 0.0;
        let seconds = world.seconds_until(|a| a.hard.is_some()).unwrap();
        assert!(
            (15..=latest).contains(&seconds),
            "{milliseconds} ms: {seconds} s"
        );
    }
}

#[test]
fn app_that_never_succeeded_is_restarted_once() {
    let mut world = World::new(5.0);
    world.good = 0.0;
    let seconds = world
        .seconds_until(|a| a.hard == Some(Reason::NoGoodput))
        .unwrap();
    assert!((120..=140).contains(&seconds), "{seconds}");
    world.restart();
    assert_eq!(world.seconds_until(|a| a.hard.is_some()), None);
}

#[test]
fn few_failures_in_a_row_impair_an_app_with_little_traffic() {
    let mut world = World::new(0.05);
    world.run(600);
    world.good = 0.0;
    let seconds = world.seconds_until(|a| a.hard == Some(Reason::NoGoodput));
    assert!((90..=130).contains(&seconds.unwrap()), "{seconds:?}");
    let mut mixed = World::new(0.05);
    mixed.good = 0.6;
    mixed.run(600);
    assert_eq!(mixed.seconds_until(|a| a.hard.is_some()), None);
}

#[test]
fn soft_heal_comes_first_where_hooks_exist() {
    for (heals, expected) in [(true, 15..=20), (false, 30..=40)] {
        let mut world = World::usual(20.0);
        (world.hooks, world.good) = (true, 0.0);
        world
            .seconds_until(|a| a.soft.is_some() && a.hard.is_none())
            .unwrap();
        if heals {
            world.soft_heal();
        }
        let hard = world.seconds_until(|a| a.hard.is_some()).unwrap();
        assert!(expected.contains(&hard), "{hard}");
    }
}

#[test]
fn knowledge_survives_a_restart_of_the_sidecar() {
    let mut world = World::usual(20.0);
    world.run(900);
    let saved = serde_json::to_string(&world.learned).unwrap();
    assert!(saved.len() < 6 * 1024, "{} bytes", saved.len());
    let learned: Learned = serde_json::from_str(&saved).unwrap();
    assert_eq!(learned, world.learned);
    world.impairment = Impairment::new();
    world.learned = learned;
    (world.arrivals, world.sockets, world.front_door) = (0.0, None, ProbeResult::TimedOut);
    world.has_answered = false;
    assert_eq!(world.run(60).hard, None, "the front door never answered");
    world.has_answered = true;
    assert!(world.seconds_until(|a| a.hard.is_some()).is_some());
}

#[test]
fn absent_counts_are_no_evidence() {
    let instance = InstanceState {
        serves: true,
        has_answered: true,
        usual_error_share: 0.0,
    };
    let mut impairment = Impairment::new();
    let mut learned = Learned::default();
    let config = ImpairmentConfig::default();
    for poll in 0..100_u64 {
        let health = Health {
            error_count: 5 * poll,
            ..Health::default()
        };
        let observation = Observation {
            care: ProbeResult::Valid(health.clone(), Duration::ZERO),
            front_door: ProbeResult::TimedOut,
            sockets: None,
            circumstances: Circumstances::default(),
        };
        let now = Time::default() + Duration::from_secs(5 * poll);
        let assessment = impairment.observe(
            now,
            &observation,
            Some(&health),
            instance,
            &mut learned,
            &config,
        );
        assert_eq!(assessment, Assessment::default());
    }
}

#[test]
fn impairment_has_an_onset_until_it_ends() {
    let mut world = World::usual(100.0);
    assert_eq!(world.learned.impaired_since(), None);
    world.good = 0.3;
    let fault = world.now;
    world.run(60);
    let onset = world.learned.impaired_since().unwrap();
    assert!(onset > fault && onset.since(fault) < Duration::from_secs(30));
    world.good = 1.0;
    world.run(120);
    assert_eq!(world.learned.impaired_since(), None);
}
