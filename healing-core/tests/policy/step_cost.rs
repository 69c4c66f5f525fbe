//! Cost of a step: allocations and time.

use std::time::Instant;

use healing_core::decision::Lane;
use healing_core::observation::{Now, Observation};

use crate::world::{App, World};

#[test]
fn step_after_warm_up_allocates_nothing() {
    let mut observations: Vec<(Now, Observation)> = Vec::new();
    let mut world = World::new(App {
        route_share: 0.05,
        ..App::healthy(100.0)
    });
    for poll in 0..900_u32 {
        world.circumstances.late = poll % 50 == 49;
        world.app.route_failing = f64::from(u8::from(poll % 200 < 50));
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
    #[allow(clippy::disallowed_methods)] // the time is measured only
    let began = Instant::now();
    let allocations = allocation_counter::measure(|| {
        for (now, observation) in measured {
            let decision = world.policy.step(*now, observation);
            lanes[usize::from(decision.lane == Lane::Stalled)] = true;
        }
    });
    let nanoseconds = began.elapsed().as_nanos() / measured.len() as u128;
    println!("RESULT policy_step_test_ns {nanoseconds} ns");
    assert_eq!(allocations.count_total, 0);
    assert_eq!(lanes, [true; 2], "reported and stalled polls were measured");
}
