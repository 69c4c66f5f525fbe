//! Polls, probes, absent figures, time of day, and the reports of treatments.

use std::time::Duration;

use super::*;
use crate::episode::spec::{Cure, Effect, Fault, Visible};
use healing_core::decision::TreatmentResult;

#[test]
fn polls_are_five_seconds_apart_and_late_ones_later() {
    let gaps = |life: &Life| {
        let mut recorder = Recorder::default();
        simulate(life, &mut recorder);
        let gap = |pair: &[(f64, Observation)]| pair[1].0 - pair[0].0;
        recorder.polls.windows(2).map(gap).collect::<Vec<f64>>()
    };
    let mut life = Life::new(2);
    assert!(gaps(&life).iter().all(|gap| (gap - 5.0).abs() < 0.1));
    life.doctor.late_share = 0.3;
    life.doctor.late_seconds = 10.0;
    let late = gaps(&life);
    let mean = late.iter().sum::<f64>() / share(late.len() as u64, 1);
    assert_close(mean, 5.0 + 0.3 * 10.0, 0.15);
}

#[test]
fn poll_is_late_if_its_delay_is_a_second_or_more() {
    let mut life = Life::new(2);
    life.seconds = 20_000.0;
    life.doctor.late_share = 0.5;
    life.doctor.late_seconds = 2.0;
    let mut recorder = Recorder::default();
    simulate(&life, &mut recorder);
    for pair in recorder.polls.windows(2) {
        // The probes take some milliseconds.
        let delay = pair[1].0 - pair[0].0 - life.doctor.interval;
        let is_late = pair[1].1.circumstances.late;
        assert!(
            (delay - 1.0).abs() < 0.1 || is_late == (delay >= 1.0),
            "{delay}"
        );
    }
    let late = recorder.polls.iter();
    let late = late
        .filter(|(_, observation)| observation.circumstances.late)
        .count() as u64;
    // The delay is exponential.
    assert_close(
        share(late, recorder.polls.len() as u64),
        0.5 * (-0.5_f64).exp(),
        0.1,
    );
}

#[test]
fn front_door_probe_waits_like_a_client() {
    let mut life = queue(1, 0.9, Distribution::Exponential(0.02));
    life.seconds = 30_000.0;
    let mut recorder = Recorder::default();
    simulate(&life, &mut recorder);
    let seconds: Vec<f64> = recorder
        .front_door(0.0, 1e9)
        .into_iter()
        .filter_map(|result| match result {
            ProbeResult::Valid((), seconds) => Some(seconds.as_secs_f64()),
            _ => None,
        })
        .collect();
    let mean = seconds.iter().sum::<f64>() / share(seconds.len() as u64, 1);
    assert_close(mean, 0.9 * 0.02 / 0.1, 0.1);
}

#[test]
fn probe_of_a_hanging_front_door_takes_two_seconds() {
    let mut life = Life::new(2);
    life.faults = vec![Fault::new(Effect::DeadFrontDoor(false), Cure::Restart, 0.0)];
    let mut recorder = Recorder::default();
    simulate(&life, &mut recorder);
    let poll = &recorder.polls[1];
    assert_eq!(poll.1.front_door, ProbeResult::TimedOut);
    let ProbeResult::Valid(health, _) = &poll.1.care else {
        panic!("no answer")
    };
    assert_close(poll.0 - (health.uptime - 3600.0), 2.0, 0.01);
}

#[test]
fn absent_figures_are_absent() {
    let mut life = Life::new(2);
    life.visible = Visible {
        front_door: false,
        instance_id: false,
        hour_of_day: false,
        started: false,
        cpu: false,
        memory: false,
        totals: false,
        cancelled: false,
        in_flight: false,
        latency: false,
        vitals: false,
        runtime: false,
        checks: false,
        schema_2: false,
        sockets: false,
    };
    life.service.dependencies = 2;
    let mut recorder = Recorder::default();
    simulate(&life, &mut recorder);
    assert_eq!(*recorder.front_door(0.0, 100.0)[0], ProbeResult::NotProbed);
    assert_eq!(recorder.polls[0].1.sockets, None);
    let health = recorder.answers(0.0, 100.0)[0];
    let five = Health {
        status: health.status,
        error_count: health.error_count,
        uptime: health.uptime,
        ..Health::default()
    };
    assert_eq!(*health, five);
}

#[test]
fn hour_of_day_is_utc() {
    let mut life = Life::new(2);
    life.utc_hour = 23.75;
    let mut recorder = Recorder::default();
    simulate(&life, &mut recorder);
    assert_eq!(recorder.answers(0.0, 100.0)[0].hour_of_day, Some(23));
    assert_eq!(recorder.answers(1000.0, 1100.0)[0].hour_of_day, Some(0));
}

#[test]
fn soft_heal_is_reported_when_it_ends_and_clears_the_error_count() {
    let mut life = Life::new(2);
    life.clients.rate = Rate::constant(10.0);
    life.service.errors = 0.1;
    life.service.hook_seconds = 7.0;
    let mut recorder = Recorder::at(1000.0, Action::ResetErrors);
    let (outcome, _) = simulate(&life, &mut recorder);
    let done = TreatmentReport {
        action: Action::ResetErrors,
        result: TreatmentResult::Done,
    };
    assert_eq!(recorder.reports, [done]);
    assert!(!outcome.treatments[0].helped && outcome.capacity_lost == Duration::ZERO);
    assert!(recorder.answers(990.0, 1000.0)[0].error_count > 500);
    assert!(recorder.answers(1005.0, 1020.0)[0].error_count < 60);
}

#[test]
fn stalled_runtime_runs_no_hooks() {
    let mut life = Life::new(2);
    life.faults = vec![Fault::new(Effect::Wedge, Cure::SoftHeal, 100.0)];
    let mut recorder = Recorder::at(200.0, Action::ResetErrors);
    let (outcome, _) = simulate(&life, &mut recorder);
    assert_eq!(recorder.reports[0].result, TreatmentResult::Aborted);
    assert!(outcome.treatments.is_empty());
}

#[test]
fn restart_of_an_app_that_is_down_is_aborted() {
    let mut life = Life::new(2);
    life.service.start.age = -60.0;
    let mut recorder = Recorder::at(10.0, Action::RestartService);
    let (outcome, measured) = simulate(&life, &mut recorder);
    let results: Vec<_> = recorder
        .reports
        .iter()
        .map(|report| report.result)
        .collect();
    assert_eq!(
        results,
        [TreatmentResult::Started, TreatmentResult::Aborted]
    );
    assert!(outcome.treatments.is_empty() && measured.exits == 0);
}
