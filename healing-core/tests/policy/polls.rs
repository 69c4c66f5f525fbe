//! Polls that go wrong, and what a step costs.

use std::time::{Duration, Instant};

use healing_core::brain::{CannotClassify, Classifier, Proposer, Votes};
use healing_core::config::{ModelRole, PolicyConfig};
use healing_core::decision::{
    Action, DecidedBy, Decision, Lane, Reason, Treatment, TreatmentResult, Verdict,
};
use healing_core::features::{Feature, Features};
use healing_core::health::Health;
use healing_core::observation::{Now, Observation, ProbeResult};
use healing_core::policy::Policy;

use crate::world::{App, World, actions};

const QUICK: Duration = Duration::from_millis(1);

/// A poll that shows this answer, whatever the app says itself.
fn poll_of(world: &mut World, health: Health) -> Decision {
    world.app.silent = Some(ProbeResult::Valid(health, QUICK));
    let decision = world.poll();
    world.app.silent = None;
    decision
}

#[test]
fn a_duplicate_poll_counts_once() {
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
fn an_answer_out_of_order_teaches_nothing() {
    let mut world = World::new(App::healthy(100.0));
    world.run(60.0);
    let old = world.app.health();
    world.run(60.0);
    assert_eq!(poll_of(&mut world, old).reason, Reason::StaleAnswer);
    let decisions = world.run(60.0);
    assert!(
        decisions
            .iter()
            .all(|decision| decision.reason == Reason::Healthy)
    );

    // Nor does the last word of a process that has gone.
    let last_word = world.app.health();
    world.app.restart();
    world.run(60.0);
    assert_eq!(poll_of(&mut world, last_word).reason, Reason::StaleAnswer);
    let after = world.run(60.0);
    assert!(
        after
            .iter()
            .all(|d| d.features.get(Feature::RecentRestarts) == Some(1.0))
    );
}

#[test]
fn missed_polls_lose_no_errors() {
    let mut world = World::new(App::healthy(0.0));
    world.run(60.0);
    world.app.simulate_errors(6.0);
    world.now.monotonic += Duration::from_secs(20);
    world.now.wall += Duration::from_secs(20);
    assert_eq!(actions(&world.run(30.0)), [Action::ResetErrors]);
}

#[test]
fn what_happened_in_a_long_gap_is_past() {
    let mut world = World::new(App::healthy(0.0));
    world.run(60.0);
    world.app.simulate_errors(60.0);
    world.now.monotonic += Duration::from_secs(3600);
    world.now.wall += Duration::from_secs(3600);
    assert_eq!(actions(&world.run(300.0)), []);
}

#[test]
fn a_hang_before_and_after_a_gap_is_not_one_hang() {
    let mut world = World::new(App::healthy(100.0));
    world.run(60.0);
    world.app.stalled = true;
    world.poll();
    world.now.monotonic += Duration::from_secs(3600);
    world.now.wall += Duration::from_secs(3600);
    assert_eq!(world.poll().verdict, Verdict::NoProposal);
}

#[test]
fn counters_that_are_reset_are_no_errors() {
    let mut world = World::new(App {
        errors: 400.0,
        ..App::healthy(100.0)
    });
    world.run(60.0);
    world.app = App {
        errors: 3.0,
        requests: 5.0,
        ..world.app
    };
    assert_eq!(actions(&world.run(120.0)), []);
}

#[test]
fn the_wall_clock_decides_nothing() {
    let mut world = World::new(App {
        restart_helps: false,
        ..App::healthy(100.0)
    });
    world.run(60.0);
    world.app.failing = 0.5;
    while world.poll().action == Action::NoAction {}
    world.now.wall += Duration::from_secs(86_400);
    let soon = world.run(25.0);
    assert_eq!(actions(&soon), []);
    assert!(
        soon.iter().any(|d| d.reason == Reason::Cooldown),
        "a day by the wall clock is none"
    );
    world.now.wall -= Duration::from_secs(2 * 86_400);
    assert_eq!(actions(&world.run(60.0)), [Action::ResetErrors]);
}

#[test]
fn absent_is_not_zero() {
    let mut world = World::new(App::healthy(0.0));
    let health =
        serde_json::from_str(r#"{"status":"healthy","error_count":2,"uptime":9.5}"#).unwrap();
    let decision = poll_of(&mut world, health);
    let known: Vec<_> = decision
        .features
        .iter()
        .map(|(feature, _)| feature)
        .collect();
    use Feature::{ErrorCount, FrontDoorLatency, HourOfDay, RecentRestarts, SinceLastHeal, Uptime};
    assert_eq!(
        known,
        [
            ErrorCount,
            Uptime,
            HourOfDay,
            FrontDoorLatency,
            SinceLastHeal,
            RecentRestarts
        ]
    );
}

#[test]
fn figures_are_what_their_docs_say() {
    let mut world = World::new(App {
        memory: 20.0,
        ..App::healthy(100.0)
    });
    world.run(300.0);
    world.app = App {
        failing: 0.02,
        rate: 200.0,
        seconds: 0.04,
        in_flight: 9,
        ..world.app
    };
    world.app.memory_per_second = 0.05;
    world.run(300.0);
    let features = world.poll().features;
    let close = |feature, expected: f32| {
        let value = features.get(feature).unwrap();
        assert!(
            (value - expected).abs() <= 0.1 * expected.abs() + 1e-3,
            "{feature}: {value}"
        );
    };
    close(Feature::RequestRate, 200.0);
    close(Feature::ErrorRatioFast, 0.02);
    close(Feature::ErrorRatioSlow, 0.02);
    close(Feature::PanicRatio, 0.0);
    close(Feature::InFlight, 9.0);
    close(Feature::InFlightTrend, 0.0);
    close(Feature::MemorySlope, 3.0);
    close(Feature::MemoryTimeToLimit, (80.0 - 0.05 * 305.0) / 0.05);
    close(Feature::CpuWithoutTraffic, 0.0);
    close(Feature::FdUsage, 100.0 * 40.0 / 1024.0);
    close(Feature::FdTimeToLimit, 86_400.0);
    close(Feature::SinceLastHeal, 86_400.0);
    assert!(
        features.get(Feature::P50Ratio).unwrap() > 1.2,
        "slower than usual"
    );
}

/// Votes for one action, or cannot judge.
#[derive(Debug)]
struct Fixed(Option<Action>);

impl Classifier for Fixed {
    fn votes(&self, _: &Features) -> Result<Votes, CannotClassify> {
        let action = self.0.ok_or(CannotClassify::Missing(Feature::CpuUsage))?;
        let mut votes = [0; 3];
        votes[action as usize] = 100;
        Ok(Votes(votes))
    }
}

fn modelled(votes: Option<Action>, role: ModelRole) -> World {
    let config = PolicyConfig {
        model: role,
        ..PolicyConfig::default()
    };
    let policy = Policy::new(config, Proposer::Model(Box::new(Fixed(votes))), 7);
    World::of(App::healthy(100.0), policy, Duration::from_secs(5))
}

#[test]
fn a_model_decides_within_the_evidence() {
    use Action::{NoAction, ResetErrors, RestartService};
    // A model that always votes for a restart restarts nothing that is healthy …
    let mut world = modelled(Some(RestartService), ModelRole::Decides);
    assert_eq!(actions(&world.run(600.0)), []);
    // … and where soft heals come first, they come first; once is enough for it.
    world.app.failing = 0.5;
    let decisions = world.run(300.0);
    assert_eq!(actions(&decisions), [ResetErrors, RestartService]);
    assert!(decisions.iter().all(|d| d.decided_by == DecidedBy::Model));

    let mut declines = modelled(Some(NoAction), ModelRole::Decides);
    declines.run(60.0);
    declines.app.failing = 0.5;
    let decisions = declines.run(60.0);
    assert_eq!(decisions.last().unwrap().reason, Reason::ModelDeclined);

    let mut advises = modelled(Some(NoAction), ModelRole::Advises);
    advises.run(60.0);
    advises.app.failing = 0.5;
    let decisions = advises.run(30.0);
    assert_eq!(actions(&decisions), [ResetErrors]);
    assert!(
        decisions[0].probabilities.unwrap()[0] > 0.9,
        "its votes are recorded"
    );

    let mut fails = modelled(None, ModelRole::Decides);
    fails.run(60.0);
    fails.app.failing = 0.5;
    let decisions = fails.run(30.0);
    assert_eq!(actions(&decisions), [ResetErrors]);
    assert_eq!(
        (decisions[0].decided_by, decisions[0].probabilities),
        (DecidedBy::Rules, None)
    );
}

#[test]
fn a_decision_is_explained_in_a_sentence() {
    let mut world = World::new(App::healthy(100.0));
    world.circumstances.paused = true;
    world.run(60.0);
    world.app.failing = 0.5;
    let decision = world.run(60.0).pop().unwrap();
    let explanation = world.policy.explain(&decision);
    assert_eq!(explanation.vetoes, [Reason::Paused]);
    assert_eq!(
        explanation.to_string(),
        "A soft heal would be due (too large a share of many requests fails), but is not allowed: \
         an operator has paused healing."
    );
}

#[test]
fn what_is_restored_after_a_treatment_decides_alike() {
    for failing in [0.0, 0.3, 0.8] {
        for restart_helps in [false, true] {
            let mut world = World::new(App {
                restart_helps,
                ..App::healthy(100.0)
            });
            world.run(120.0);
            world.app.failing = 0.5;
            while world.poll().action == Action::NoAction {}
            world.app.failing = failing;
            let saved = serde_json::to_string(&world.policy.state()).unwrap();
            let state = serde_json::from_str(&saved).unwrap();
            let config = world.policy.config().clone();
            let mut restored = Policy::restore(config, Proposer::Rules, state, world.now);
            for _ in 0..200 {
                world.now.monotonic += world.interval;
                world.now.wall += world.interval;
                world.app.live(world.interval.as_secs_f64());
                let observation = world.observation();
                let decision = world.policy.step(world.now, &observation);
                let mut alike = restored.step(world.now, &observation);
                // The course of memory before is what it cannot know.
                for feature in [Feature::MemorySlope, Feature::MemoryTimeToLimit] {
                    alike
                        .features
                        .set_option(feature, decision.features.get(feature));
                }
                assert_eq!(alike, decision);
                if decision.action != Action::NoAction {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_warm_step_allocates_nothing_and_is_quick() {
    let mut observations: Vec<(Now, Observation)> = Vec::new();
    let mut world = World::new(App::healthy(100.0));
    for poll in 0..900_u32 {
        world.app.failing = if poll % 200 > 150 { 0.4 } else { 0.0 };
        world.app.stalled = poll % 300 > 290;
        world.now.monotonic += world.interval;
        world.now.wall += world.interval;
        world.app.live(5.0);
        observations.push((world.now, world.observation()));
    }
    let (warm_up, measured) = observations.split_at(300);
    for (now, observation) in warm_up {
        world.policy.step(*now, observation);
    }
    let mut seen = [false; 2];
    #[allow(clippy::disallowed_methods)] // measured, not decided by
    let began = Instant::now();
    let allocations = allocation_counter::measure(|| {
        for (now, observation) in measured {
            let decision = world.policy.step(*now, observation);
            seen[usize::from(decision.lane == Lane::Stalled)] = true;
        }
    });
    let nanoseconds = began.elapsed().as_nanos() / measured.len() as u128;
    println!("RESULT policy_step_test_ns {nanoseconds} ns");
    assert_eq!(allocations.count_total, 0);
    assert_eq!(seen, [true; 2], "reported and stalled polls were measured");
}

#[test]
fn a_soft_heal_that_cannot_begin_is_not_tried_at_every_poll() {
    let mut world = World::new(App::healthy(100.0));
    world.run(60.0);
    world.app.failing = 0.5;
    let mut tries = 0;
    for _ in 0..24 {
        world.now.monotonic += world.interval;
        world.now.wall += world.interval;
        world.app.live(5.0);
        let decision = world.policy.step(world.now, &world.observation());
        if decision.action == Action::ResetErrors {
            let result = TreatmentResult::Aborted;
            world.policy.report_treatment(
                world.now,
                Treatment {
                    action: decision.action,
                    result,
                },
            );
            tries += 1;
        }
    }
    assert!((2..=4).contains(&tries), "{tries} tries in two minutes");
}
