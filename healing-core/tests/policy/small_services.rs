//! Services with little traffic and a steady share of errors, with counts that vary by chance.

use healing_core::decision::{Action, Reason};
use healing_core::policy::{Policy, Proposer};
use healing_core::rng::Rng;

use crate::world::{App, World, actions};

/// Polls for some hours, and draws requests and errors at random. Returns the treatments.
fn run(world: &mut World, rng: &mut Rng, hours: f64, rate: f64, share: f64) -> Vec<Action> {
    let from = world.decisions.len();
    let seconds = world.interval.as_secs_f64();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let polls = (hours * 3600.0 / seconds) as u32;
    for _ in 0..polls {
        let requests = rng.poisson(rate * seconds);
        for _ in 0..requests {
            world.app.requests += 1.0;
            if rng.unit() < share {
                world.app.errors += 1.0;
            }
        }
        world.poll();
    }
    let decisions: Vec<_> = world.decisions[from..]
        .iter()
        .map(|(_, decision)| decision.clone())
        .collect();
    actions(&decisions)
}

#[test]
fn steady_share_of_errors_is_soft_healed_twice_a_day_at_most() {
    for rate in [0.2, 1.0, 2.0, 5.0] {
        for share in [0.03, 0.06, 0.08] {
            for seed in 0..2 {
                let mut world = World::new(App::healthy(0.0));
                let treatments = run(&mut world, &mut Rng::new(seed), 24.0, rate, share);
                assert!(
                    treatments.len() <= 2 && !treatments.contains(&Action::RestartService),
                    "{share} of {rate}/s: {treatments:?}"
                );
            }
        }
    }
}

#[test]
fn change_of_a_usual_share_is_soft_healed() {
    for rate in [1.0, 5.0] {
        let mut world = World::new(App::healthy(0.0));
        let mut rng = Rng::new(3);
        run(&mut world, &mut rng, 24.0, rate, 0.08);
        world.app.soft_helps = true;
        let treatments = run(&mut world, &mut rng, 0.1, rate, 0.6);
        assert!(treatments.contains(&Action::ResetErrors), "{rate}/s");
    }
}

#[test]
fn usual_share_survives_a_restart_of_the_doctor() {
    let mut world = World::new(App::healthy(0.0));
    let mut rng = Rng::new(5);
    run(&mut world, &mut rng, 6.0, 5.0, 0.08);
    world.restart_doctor();
    assert_eq!(run(&mut world, &mut rng, 6.0, 5.0, 0.08), []);
}

#[test]
fn service_with_minutes_between_requests_is_available_before_and_after_a_doctor_restart() {
    let mut world = World::new(App {
        uptime: 1.0,
        requests: 0.0,
        ..App::healthy(0.0)
    });
    let mut rng = Rng::new(7);
    run(&mut world, &mut rng, 1.0, 1.0 / 120.0, 0.0);
    for doctor_restarts in [false, true] {
        if doctor_restarts {
            world.restart_doctor();
            run(&mut world, &mut rng, 0.1, 1.0 / 120.0, 0.0);
        }
        // Only an instance that has been available is restarted for panics.
        let mut ill = World::of(world.app.clone(), policy(&world), world.interval);
        ill.now = world.now;
        ill.app.rate = 2.0;
        ill.app.panicking = 0.5;
        let decisions = ill.run(180.0);
        assert!(
            decisions
                .iter()
                .any(|d| d.evidence == Reason::RepeatedPanics),
            "{doctor_restarts}"
        );
    }
}

/// Returns a policy with the saved state of another one.
fn policy(world: &World) -> Policy {
    let config = world.policy.config().clone();
    Policy::restore(config, Proposer::Rules, world.policy.state(), world.now)
}
