//! Cost of a step: allocations and time.

use std::time::{Duration, Instant};

use healing_core::config::PolicyConfig;
use healing_core::decision::Lane;
use healing_core::observation::{Now, Observation};
use healing_core::policy::{Policy, Proposer};

use crate::world::{App, World};

#[test]
fn step_after_warm_up_allocates_nothing() {
    let mut observations: Vec<(Now, Observation)> = Vec::new();
    let policy = Policy::new(PolicyConfig::default(), Proposer::default_model(), 7);
    let mut world = World::of(App::healthy(100.0), policy, Duration::from_secs(5));
    world.app.memory = 0.05; // below the trained range
    for poll in 0..900_u32 {
        // Without traffic there is no latency, so its ratio is absent.
        world.app.rate = if poll % 100 > 80 { 0.1 } else { 100.0 };
        world.app.failing = if poll % 200 > 150 { 0.4 } else { 0.0 };
        world.app.stalled = poll % 300 > 290;
        world.advance(world.interval);
        observations.push((world.now, world.observation()));
    }
    let (warm_up, measured) = observations.split_at(300);
    for (now, observation) in warm_up {
        world.policy.step(*now, observation);
    }
    let mut lanes = [false; 2];
    let (mut clamped, mut absent) = (false, false);
    #[allow(clippy::disallowed_methods)] // the time is measured only
    let began = Instant::now();
    let allocations = allocation_counter::measure(|| {
        for (now, observation) in measured {
            let decision = world.policy.step(*now, observation);
            lanes[usize::from(decision.lane == Lane::Stalled)] = true;
            let record = decision.model.unwrap_or_default();
            clamped |= !record.clamped.is_empty();
            absent |= !record.absent.is_empty();
        }
    });
    let nanoseconds = began.elapsed().as_nanos() / measured.len() as u128;
    println!("RESULT policy_step_test_ns {nanoseconds} ns");
    assert_eq!(allocations.count_total, 0);
    assert_eq!(lanes, [true; 2], "reported and stalled polls were measured");
    assert!(
        clamped && absent,
        "a model with unfamiliar figures was measured"
    );
}
