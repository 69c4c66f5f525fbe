//! Boots, crashes, restarts, drains, and other replicas.

use std::time::Duration;

use super::*;
use crate::episode::spec::{Cure, Effect, Fault};

/// Returns an app that boots for 40 s from the episode's start.
fn booting(binds_early: bool) -> Life {
    let mut life = Life::new(4);
    life.seconds = 100.0;
    life.clients.rate = Rate::constant(20.0);
    life.service.start.age = -1.0;
    life.service.start.boot_seconds = 40.0;
    life.service.start.binds_early = binds_early;
    life.service.start.care_first = true;
    life
}

#[test]
fn slow_boot_refuses_until_the_app_serves() {
    let mut recorder = Recorder::default();
    let (outcome, measured) = simulate(&booting(false), &mut recorder);
    assert_close(share(measured.refused, 1), 20.0 * 41.0, 0.1);
    assert_eq!(outcome.failed, measured.refused);
    let refused = recorder.front_door(5.0, 41.0);
    assert!(refused.len() >= 6 && refused.iter().all(|r| **r == ProbeResult::Refused));
    assert!(
        recorder
            .answers(5.0, 41.0)
            .iter()
            .all(|health| health.started == Some(false))
    );
    assert!(
        recorder
            .answers(50.0, 100.0)
            .iter()
            .all(|health| health.started == Some(true))
    );
}

#[test]
fn early_bound_port_hangs_and_serves_the_patient_later() {
    let life = booting(true);
    let mut recorder = Recorder::default();
    let (outcome, measured) = simulate(&life, &mut recorder);
    let hangs = recorder.front_door(8.0, 41.0);
    assert!(hangs.len() >= 5 && hangs.iter().all(|r| **r == ProbeResult::TimedOut));
    assert!(measured.refused < 40, "only before the process started");
    // A request sent at s is served after 0.2 s of work for each second before it; its client, with
    // 10 s of patience, still waits if s + 10 >= 41 + 0.2 (s - 1): from 38.5 s on.
    assert_close(share(outcome.failed, 1), 20.0 * 38.5, 0.05);
}

#[test]
fn cold_instance_needs_more_cpu() {
    let mut life = Life::new(4);
    life.seconds = 100.0;
    life.clients.rate = Rate::constant(20.0);
    life.service.cpu = Distribution::Fixed(0.01);
    life.service.start.age = 0.0;
    life.service.start.cold_factor = 2.0;
    life.service.start.warm_up_seconds = 30.0;
    let warm = 0.01 * 20.0 * 100.0;
    let cold = warm + 0.01 * 20.0 * 2.0 * 30.0 * (1.0 - (-100.0_f64 / 30.0).exp());
    assert_close(measure(&life).cpu_seconds, cold, 0.1);
}

#[test]
fn crash_loop_backs_off_longer_each_time() {
    let mut life = booting(false);
    life.seconds = 400.0;
    life.service.start.boot_seconds = 5.0;
    life.service.start.crashes = 4;
    let (outcome, measured) = simulate(&life, &mut Recorder::default());
    assert_eq!(measured.exits, 4);
    // Five starts of 1 + 5 s, and delays of 0 + 10 + 20 + 40 s.
    assert_close(share(measured.refused, 1), 20.0 * 100.0, 0.1);
    assert!(outcome.treatments.is_empty());
}

#[test]
fn restart_drains_resets_and_takes_capacity() {
    let mut life = Life::new(4);
    life.seconds = 600.0;
    life.clients.rate = Rate::constant(20.0);
    let mut recorder = Recorder::at(300.0, Action::RestartService);
    let (outcome, measured) = simulate(&life, &mut recorder);
    assert_eq!(outcome.treatments.len(), 1);
    let restart = outcome.treatments[0];
    assert!(restart.action == Action::RestartService && !restart.helped);
    // 2 s of settling, 1 s for the container, 2 s of boot; refused in the last three.
    assert_close(outcome.capacity_lost.as_secs_f64(), 5.0, 0.1);
    assert_close(share(outcome.failed, 1), 60.0, 0.35);
    assert_eq!(
        outcome.failed, measured.refused,
        "the drain lets requests end"
    );
    assert_eq!(outcome.recovery, None, "no fault");
    let before = recorder.answers(280.0, 300.0)[0];
    let after = recorder.answers(310.0, 330.0)[0];
    assert_ne!(before.instance_id, after.instance_id);
    assert!(after.totals.requests_total < before.totals.requests_total);
    assert!(after.uptime < 30.0);
}

#[test]
fn other_replicas_absorb_requests_of_an_app_that_is_not_ready() {
    let mut life = Life::new(4);
    life.seconds = 600.0;
    life.clients.rate = Rate::constant(20.0);
    life.clients.absorbed = 1.0;
    let (outcome, _) = simulate(&life, &mut Recorder::at(300.0, Action::RestartService));
    assert_eq!(
        outcome.failed, 0,
        "the drain is noticed before the process ends"
    );
}

#[test]
fn leak_reaches_the_limit_at_the_right_time_and_again_after_the_kill() {
    let mut life = Life::new(4);
    life.seconds = 3000.0;
    life.memory.base = 40.0;
    life.memory.noise = 0.0;
    let leak = Effect::MemoryLeak(0.05);
    life.faults = vec![Fault::new(leak, Cure::Restart, 300.0)];
    let (_, measured) = simulate(&life, &mut Recorder::default());
    assert_close(measured.killed_at.unwrap(), 300.0 + 60.0 / 0.05, 0.01);
    assert_eq!(measured.exits, 2);
}

#[test]
fn restart_frees_leaked_memory() {
    let mut life = Life::new(4);
    life.seconds = 2000.0;
    let leak = Effect::MemoryLeak(0.05);
    life.faults = vec![Fault::new(leak, Cure::Restart, 0.0)];
    let mut recorder = Recorder::at(1000.0, Action::RestartService);
    let (outcome, measured) = simulate(&life, &mut recorder);
    assert!(outcome.treatments[0].helped && measured.killed_at.is_none());
    let memory = |from, to| recorder.answers(from, to)[0].memory_usage.unwrap();
    assert_close(memory(990.0, 1000.0), 80.0, 0.02);
    assert!(memory(1010.0, 1030.0) < 32.0);
}

#[test]
fn descriptor_leak_stops_accepting_at_the_limit() {
    let mut life = Life::new(4);
    life.seconds = 1000.0;
    life.clients.rate = Rate::constant(20.0);
    let leak = Effect::DescriptorLeak(0.5);
    life.faults = vec![Fault::new(leak, Cure::Restart, 100.0)];
    let mut recorder = Recorder::default();
    let (outcome, _) = simulate(&life, &mut recorder);
    // 95 % are left, which leak in 190 s.
    assert_close(share(outcome.failed, outcome.requests), 0.71, 0.05);
    assert!(
        recorder
            .front_door(310.0, 1000.0)
            .iter()
            .all(|r| **r == ProbeResult::TimedOut)
    );
    assert_eq!(outcome.duration, Duration::from_secs(1000));
}
