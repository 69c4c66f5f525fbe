//! Time from a wedge to the decision, with probes that take time.

use std::time::Duration;

use healing_core::decision::{Action, Decision, Reason};
use healing_core::observation::ProbeResult;

use crate::world::{App, World};

/// Time limit of a probe of the sidecar.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Polls once. The front door times out while the runtime does not tick, so that the poll ends later than
/// the care port answers.
fn poll(world: &mut World, ticks: bool, tick_age: f64, stall_after: f64) -> Decision {
    // No request succeeds while the runtime does not tick.
    world.app.stalled = !ticks;
    let mut health = world.app.health();
    let runtime = health.runtime.as_mut().unwrap();
    runtime.tick_age_seconds = tick_age;
    runtime.stall_after_seconds = Some(stall_after);
    runtime.stalled = tick_age > stall_after;
    world.app.care = Some(ProbeResult::Valid(health, Duration::from_millis(1)));
    world.app.front_door = if ticks {
        ProbeResult::Valid((), Duration::from_millis(1))
    } else {
        world.advance(PROBE_TIMEOUT);
        ProbeResult::TimedOut
    };
    world.observe()
}

/// Returns the time from the fault to the decision to restart, and the decision. The runtime stops `phase`
/// before a poll, and ticks again after `blocked`; no request succeeds from the fault on.
fn restart_after(
    interval: Duration,
    phase: Duration,
    blocked: Duration,
    stall_after: f64,
    rate: f64,
) -> Option<(Duration, Decision)> {
    let mut world = World::new(App::healthy(rate));
    let fault = 60 * interval - phase;
    for start in (1..90).map(|poll| poll * interval) {
        if (world.elapsed..start).contains(&fault) {
            world.advance(fault - world.elapsed);
            world.app.rate = 0.0;
        }
        world.advance(start - world.elapsed);
        let age = start.saturating_sub(fault);
        let ticks = start < fault || age > blocked;
        let tick_age = if ticks { 0.01 } else { age.as_secs_f64() };
        let decision = poll(&mut world, ticks, tick_age, stall_after);
        if decision.action == Action::RestartService {
            return Some((world.elapsed - fault, decision));
        }
    }
    None
}

#[test]
fn wedge_is_decided_within_twelve_seconds_at_every_phase_of_the_polls() {
    let interval = Duration::from_secs(5);
    for phase in (0..5_000).step_by(50).map(Duration::from_millis) {
        let (after, decision) =
            restart_after(interval, phase, Duration::from_secs(3600), 10.0, 20.0).unwrap();
        assert!(after <= Duration::from_secs(12), "{phase:?}: {after:?}");
        assert_eq!(decision.reason, Reason::RuntimeStalled);
        assert!(decision.wedged);
    }
}

#[test]
fn runtime_that_ticks_again_within_a_poll_interval_is_left_alone() {
    let interval = Duration::from_secs(5);
    for phase in (0..5_000).step_by(50).map(Duration::from_millis) {
        let blocked = Duration::from_millis(4_700);
        assert!(restart_after(interval, phase, blocked, 10.0, 20.0).is_none());
    }
}

#[test]
fn runtime_without_demand_is_left_alone_below_the_stall_threshold_of_its_owner() {
    let interval = Duration::from_secs(5);
    let blocked = Duration::from_secs(50);
    assert!(restart_after(interval, Duration::from_secs(2), blocked, 60.0, 0.0).is_none());
}
