//! State that one doctor process saves and the next one restores.

use healing_core::config::PolicyConfig;
use healing_core::decision::{Action, Outcome};
use healing_core::features::Feature;
use healing_core::policy::{Policy, Proposer};

use crate::world::{App, World};

#[test]
fn probation_of_a_restart_continues_in_the_next_doctor_process() {
    let mut world = World::new(App::healthy(100.0));
    world.run(60.0);
    world.app.stalled = true;
    while world.poll().action != Action::RestartService {}
    assert_eq!(
        world.policy.state().current_treatment(),
        Some(Action::RestartService)
    );
    world.restart_doctor();
    let decisions = world.run(120.0);
    let concluded = decisions.iter().find_map(|d| d.concluded).unwrap();
    assert_eq!(
        (concluded.action, concluded.outcome),
        (Action::RestartService, Outcome::Recovered)
    );
    assert_eq!(decisions.last().unwrap().budget_remaining, 2);
    assert_eq!(world.policy.state().current_treatment(), None);
}

#[test]
fn policy_restored_after_a_treatment_makes_the_same_decisions() {
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
                world.advance(world.interval);
                let observation = world.observation();
                let decision = world.policy.step(world.now, &observation);
                let mut same = restored.step(world.now, &observation);
                // The time series of memory before the treatment is not saved.
                for feature in [Feature::MemorySlope, Feature::MemoryTimeToLimit] {
                    same.features
                        .set_option(feature, decision.features.get(feature));
                }
                assert_eq!(same, decision);
                if decision.action != Action::NoAction {
                    break;
                }
            }
        }
    }
}

#[test]
fn profiles_differ_only_in_times() {
    let demo = PolicyConfig::demo();
    let default = PolicyConfig::default();
    assert_eq!(demo.evidence.count_errors, default.evidence.count_errors);
    assert_eq!(demo.permission.budget, default.permission.budget);
}
