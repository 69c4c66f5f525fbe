//! CPU quota, neighbours, and threads that spin.

use super::*;
use crate::episode::spec::{Cure, Effect, Fault};

/// Returns a busy app with this demand for CPU in cores, and a quota of one half.
fn with_quota(demand: f64) -> Life {
    let mut life = queue(4, 0.5, Distribution::Fixed(0.01));
    life.seconds = 2000.0;
    life.machine.cores = 4.0;
    life.machine.quota = Some(0.5);
    life.clients.rate = Rate::constant(demand / 0.01);
    life
}

#[test]
fn demand_above_the_quota_is_throttled_in_every_period() {
    let life = with_quota(0.8);
    let measured = measure(&life);
    assert_close(measured.cpu_seconds / life.seconds, 0.5, 0.01);
    assert_close(measured.throttled_share, 1.0, 0.01);
    // Four workers use the 50 ms of a period in 12.5 ms.
    assert_close(measured.throttled_seconds / life.seconds, 0.875, 0.02);
}

#[test]
fn demand_below_the_quota_is_served_and_throttled_by_bursts_alone() {
    let life = with_quota(0.25);
    let measured = measure(&life);
    assert_close(measured.cpu_seconds / life.seconds, 0.25, 0.02);
    assert!(
        measured.throttled_share < 0.1,
        "{}",
        measured.throttled_share
    );
}

#[test]
fn throttled_time_and_cpu_are_reported() {
    let mut recorder = Recorder::default();
    let (_, measured) = simulate(&with_quota(0.8), &mut recorder);
    let last = recorder.polls.len() - 1;
    let ProbeResult::Valid(health, _) = &recorder.polls[last].1.care else {
        panic!("no answer")
    };
    assert_close(health.cpu_usage.unwrap(), 100.0, 0.15);
    let vitals = health.vitals.as_ref().unwrap();
    let throttled = vitals.cpu_throttled_seconds_total.unwrap();
    assert_close(throttled, measured.throttled_seconds, 0.01);
    assert_eq!(vitals.cpu_limit_cores, Some(0.5));
}

#[test]
fn neighbours_take_cores_without_throttling() {
    let mut life = queue(4, 0.5, Distribution::Fixed(0.01));
    life.seconds = 2000.0;
    life.machine.neighbours = vec![(0.0, 2000.0, 1.0)];
    let mut recorder = Recorder::default();
    let (_, measured) = simulate(&life, &mut recorder);
    assert_close(measured.cpu_seconds / life.seconds, 1.0, 0.01);
    assert!(measured.run_queue_seconds / life.seconds > 2.5);
    assert!(measured.throttled_seconds < 1e-9);
    let health = recorder.answers(1500.0, 2000.0)[0];
    assert_close(health.cpu_usage.unwrap(), 25.0, 0.1); // of four cores: it reads as nearly idle
    assert!(health.runtime.as_ref().unwrap().lag_seconds > 1.0);
}

#[test]
fn spinning_thread_leaves_its_fair_share() {
    let mut life = queue(1, 0.9, Distribution::Fixed(0.01));
    life.seconds = 2000.0;
    life.faults = vec![Fault::new(Effect::Spin(1), Cure::Restart, 0.0)];
    let measured = measure(&life);
    assert_close(measured.cpu_seconds / life.seconds, 1.0, 0.01);
    assert_close(share(measured.answered, 1) / life.seconds, 50.0, 0.02);
}

#[test]
fn job_inside_the_app_takes_cpu_for_its_time() {
    let mut life = queue(1, 0.3, Distribution::Fixed(0.01));
    life.seconds = 1000.0;
    life.machine.jobs = vec![(200.0, 700.0, 1)];
    let measured = measure(&life);
    assert_close(measured.cpu_seconds, 500.0 + 0.3 * 500.0, 0.02);
}
