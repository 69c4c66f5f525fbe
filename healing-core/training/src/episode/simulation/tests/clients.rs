//! Impatient clients, retries, shedding, backlog, low traffic, and the independence of the load.

use super::*;
use crate::episode::spec::{Cure, Effect, Fault, OnLeave, Pool};

const MEAN: f64 = 0.02;

/// Returns the share of clients that leave an M/M/1+M queue (Erlang A) before they are served.
fn erlang_a_leaving(arrivals: f64, service: f64, leaving: f64) -> f64 {
    // Stationary distribution of the birth-death process; state n has n - 1 waiting.
    let (mut weight, mut sum, mut waiting) = (1.0, 1.0, 0.0);
    for n in 1..2000_u32 {
        let queued = f64::from(n - 1);
        weight *= arrivals / (service + queued * leaving);
        sum += weight;
        waiting += queued * weight;
    }
    leaving * waiting / sum / arrivals
}

#[test]
fn share_of_impatient_clients_is_erlang_a() {
    for utilisation in [0.8, 1.2] {
        let mut life = queue(1, utilisation, Distribution::Exponential(MEAN));
        life.clients.patience = Distribution::Exponential(5.0 * MEAN);
        life.service.on_leave = OnLeave::Discard;
        let measured = measure(&life);
        let sent = measured.begun + measured.discarded;
        let expected = erlang_a_leaving(utilisation / MEAN, 1.0 / MEAN, 0.2 / MEAN);
        assert_close(share(measured.discarded, sent), expected, 0.05);
    }
}

/// Returns an app whose clients leave after one second, while a response takes three.
fn impatient(on_leave: OnLeave) -> Life {
    let mut life = Life::new(1);
    life.clients.rate = Rate::constant(20.0);
    life.clients.patience = Distribution::Fixed(1.0);
    life.service.on_leave = on_leave;
    life.service.cpu = Distribution::Fixed(0.002);
    life.service.pool = Some(Pool {
        slots: u32::MAX,
        hold: Distribution::Fixed(3.0),
        acquire_timeout: f64::INFINITY,
    });
    life
}

#[test]
fn client_that_leaves_is_a_cancellation_and_no_error() {
    for (on_leave, in_flight) in [(OnLeave::Stop, 20.0), (OnLeave::Continue, 20.0)] {
        let life = impatient(on_leave);
        let mut recorder = Recorder::default();
        let (outcome, measured) = simulate(&life, &mut recorder);
        assert_eq!(outcome.failed, outcome.requests);
        let answers = recorder.answers(3000.0, 3600.0);
        let totals = &answers[0].totals;
        assert_eq!(totals.cancelled_total, totals.requests_total);
        assert_eq!(totals.errors_total, Some(0));
        assert_close(measured.in_flight_seconds / life.seconds, in_flight, 0.05);
    }
}

#[test]
fn work_of_clients_that_left_goes_on_where_it_is_spawned() {
    let [stopped, continued] = [OnLeave::Stop, OnLeave::Continue].map(|on_leave| {
        let life = impatient(on_leave);
        measure(&life).cpu_seconds / life.seconds
    });
    assert_close(stopped, 20.0 * 0.001, 0.05);
    assert_close(continued, 20.0 * 0.002, 0.05);
}

#[test]
fn fifo_queue_collapses_when_clients_give_up_and_shedding_keeps_goodput() {
    let mut life = queue(1, 1.5, Distribution::Exponential(MEAN));
    life.seconds = 2000.0;
    life.service.cpu = Distribution::Fixed(0.0001);
    life.service.pool = Some(Pool {
        slots: 1,
        hold: Distribution::Fixed(MEAN),
        acquire_timeout: f64::INFINITY,
    });
    life.service.on_leave = OnLeave::Continue;
    life.clients.patience = Distribution::Fixed(2.0);
    let good = |life: &Life| {
        let (outcome, measured) = simulate(life, &mut Recorder::default());
        (
            share(outcome.requests - outcome.failed, 1) / life.seconds,
            measured,
        )
    };
    assert!(good(&life).0 < 0.1 / MEAN, "only dead requests are served");
    life.service.shed_above = Some(20);
    let (goodput, measured) = good(&life);
    assert_close(goodput, 1.0 / MEAN, 0.02);
    assert_close(share(measured.shed, measured.begun), 1.0 / 3.0, 0.03);
}

#[test]
fn newest_connections_are_served_in_time_under_overload() {
    let mut life = queue(1, 1.5, Distribution::Exponential(MEAN));
    life.seconds = 3000.0;
    life.clients.patience = Distribution::Fixed(2.0);
    // With a share of 0.5: an arrival during a service (0.6), and its own choice.
    for (newest_first, least, most) in [(0.0, 0.0, 0.05), (0.5, 0.25, 0.4), (1.0, 0.6, 1.02)] {
        life.service.newest_first = newest_first;
        let (outcome, _) = simulate(&life, &mut Recorder::default());
        let goodput = share(outcome.requests - outcome.failed, 1) / life.seconds;
        assert!(
            (least..=most).contains(&(goodput * MEAN)),
            "{newest_first}: {goodput}"
        );
    }
}

#[test]
fn connections_beyond_the_backlog_are_dropped_and_time_out() {
    let mut life = queue(1, 2.0, Distribution::Fixed(MEAN));
    life.seconds = 1000.0;
    life.service.backlog = 10;
    life.clients.patience = Distribution::Fixed(1.0);
    let (outcome, measured) = simulate(&life, &mut Recorder::default());
    assert_close(share(outcome.failed, outcome.requests), 0.5, 0.03);
    // One is admitted when another begins: nine wait before it, and most of one service is left.
    assert_close(
        mean(measured.residence, measured.answered),
        10.5 * MEAN,
        0.05,
    );
}

#[test]
fn requests_in_front_of_the_app_are_not_seen_by_the_layer() {
    let mut life = queue(1, 1.5, Distribution::Fixed(MEAN));
    life.seconds = 600.0;
    life.clients.patience = Distribution::Fixed(1e6);
    let mut recorder = Recorder::default();
    simulate(&life, &mut recorder);
    for health in recorder.answers(300.0, 600.0) {
        assert_eq!(health.in_flight, Some(1), "the others wait in the backlog");
        assert_eq!(health.totals.errors_total, Some(0));
    }
    assert!(
        recorder
            .front_door(300.0, 600.0)
            .iter()
            .all(|r| **r == ProbeResult::TimedOut)
    );
}

#[test]
fn failed_requests_are_retried_and_counted_once() {
    let mut life = Life::new(5);
    life.clients.rate = Rate::constant(50.0);
    life.clients.retries = 1.0;
    life.service.cpu = Distribution::Fixed(0.001);
    life.service.errors = 0.5;
    let (outcome, measured) = simulate(&life, &mut Recorder::default());
    assert_close(share(outcome.requests, 1), 50.0 * 3600.0, 0.02);
    assert_close(share(outcome.failed, outcome.requests), 0.125, 0.05);
    assert_close(share(measured.begun, outcome.requests), 1.75, 0.02);
}

#[test]
fn load_of_1_request_per_minute_is_simulated() {
    let mut life = Life::new(8);
    life.seconds = 200_000.0;
    life.clients.rate = Rate::constant(1.0 / 60.0);
    let (outcome, _) = simulate(&life, &mut Recorder::default());
    assert_close(share(outcome.requests, 1), 200_000.0 / 60.0, 0.05);
    assert_eq!(outcome.failed, 0);
}

#[test]
fn episode_is_reproducible_and_its_load_independent_of_the_decider() {
    let mut life = queue(2, 0.7, Distribution::Exponential(MEAN));
    life.seconds = 1000.0;
    life.clients.patience = Distribution::Fixed(2.0);
    life.faults = vec![Fault::new(Effect::Errors(0.3), Cure::SoftHeal, 200.0)];
    let run = |action| {
        let mut recorder = Recorder::at(300.0, action);
        let outcome = simulate(&life, &mut recorder).0;
        (outcome, recorder.polls)
    };
    let (none, polls) = run(Action::NoAction);
    let (again, same_polls) = run(Action::NoAction);
    assert_eq!(none, again);
    assert_eq!(
        format!("{polls:?}"),
        format!("{same_polls:?}"),
        "same bytes"
    );
    let (soft, treated_polls) = run(Action::ResetErrors);
    assert_eq!(none.requests, soft.requests);
    assert!(soft.failed < none.failed / 4);
    let until = polls.iter().take_while(|(at, _)| *at < 300.0).count();
    assert_eq!(polls[..until], treated_polls[..until]);
}
