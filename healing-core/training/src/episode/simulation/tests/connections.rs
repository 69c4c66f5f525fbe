//! Kept connections and looks at the sockets, against known results.

use super::*;
use crate::episode::simulation::trace;
use crate::episode::spec::{Connections, Cure, Effect, Fault, OnLeave, PatienceFrom, Pool};

const HOLD: f64 = 0.05;

/// Returns the life of an app that awaits `HOLD` seconds on average, behind kept connections.
fn life(connections: Connections, rate: f64) -> Life {
    let mut life = queue(4, 0.5, Distribution::Fixed(1e-6));
    life.clients.rate = Rate::constant(rate);
    life.clients.connections = Some(connections);
    life.service.pool = Some(Pool {
        slots: u32::MAX,
        hold: Distribution::Exponential(HOLD),
        acquire_timeout: f64::INFINITY,
    });
    life
}

fn connections(limit: u32) -> Connections {
    Connections {
        limit,
        longest_wait: f64::INFINITY,
        patience_from: PatienceFrom::Sending,
        hides_leaving: false,
    }
}

/// Returns a wait of so many seconds in each request, for any number of requests at once.
fn wait_of(seconds: f64) -> Pool {
    Pool {
        slots: u32::MAX,
        hold: Distribution::Fixed(seconds),
        acquire_timeout: f64::INFINITY,
    }
}

#[test]
fn connections_queue_like_servers_before_the_app() {
    // M/M/1: one connection, which each request occupies for its time in the app.
    let measured = measure(&life(connections(1), 0.8 / HOLD));
    // The residence counts from the sending; the wait for the connection is outside of the app.
    assert_close(mean(measured.residence, measured.answered), HOLD, 0.05);
    assert_close(measured.in_flight_seconds / 20_000.0, 0.8, 0.02);
    let saturated = measure(&life(connections(10), 2.0 * 10.0 / HOLD));
    assert_close(share(saturated.begun, 1) / 20_000.0, 10.0 / HOLD, 0.02);
    assert_close(saturated.in_flight_seconds / 20_000.0, 10.0, 0.02);
}

#[test]
fn wait_for_a_connection_counts_as_patience_from_the_call_only() {
    for (patience_from, served) in [(PatienceFrom::Call, 0.0), (PatienceFrom::Sending, 1.0)] {
        let mut life = life(
            Connections {
                longest_wait: 5.0,
                patience_from,
                ..connections(10)
            },
            20.0,
        );
        life.seconds = 500.0;
        life.service.pool = Some(wait_of(3.0));
        life.clients.patience = Distribution::Fixed(4.0);
        let last = trace(&life, 10.0).pop().unwrap().clients;
        let ended = share(last.served, last.served + last.timed_out);
        assert!((ended - served * 3.33 / 20.0).abs() < 0.02, "{ended}");
    }
}

#[test]
fn proxy_that_hides_leaving_keeps_the_work() {
    for (hides_leaving, cancelled, in_flight) in [(false, 1.0, 20.0), (true, 0.0, 60.0)] {
        let mut life = life(
            Connections {
                hides_leaving,
                ..connections(1000)
            },
            20.0,
        );
        life.seconds = 500.0;
        life.service.pool = Some(wait_of(3.0));
        life.clients.patience = Distribution::Fixed(1.0);
        let last = trace(&life, 10.0).pop().unwrap();
        assert_eq!(last.clients.served, 0);
        let ProbeResult::Valid(health, _) = last.care else {
            panic!("no response");
        };
        let totals = health.totals;
        let ended = totals.requests_total.unwrap();
        assert_close(
            1.0 + share(totals.cancelled_total.unwrap(), ended),
            1.0 + cancelled,
            1e-9,
        );
        let open = share(health.in_flight.unwrap(), 1);
        assert!((open - in_flight).abs() < 0.3 * in_flight, "{open}");
    }
}

#[test]
fn kept_connections_are_served_after_the_listener_is_gone() {
    let mut life = life(connections(10), 20.0);
    life.seconds = 300.0;
    life.clients.evenly = true;
    life.service.pool = None;
    life.faults = vec![Fault::new(
        Effect::DeadFrontDoor(true),
        Cure::Restart,
        100.0,
    )];
    let points = trace(&life, 10.0);
    let last = points.last().unwrap();
    assert_eq!(last.front_door, ProbeResult::Refused);
    assert!(last.clients.served + 2 >= last.clients.sent);
    life.clients.connections = None;
    let refused = trace(&life, 10.0).pop().unwrap().clients.refused;
    assert_close(share(refused, 1), 200.0 * 20.0, 0.01);
}

#[test]
fn looks_waste_work_for_clients_that_have_left_unnoticed() {
    // An overload of 1.5 without an await: what is served is the capacity, however often the runtime looks.
    let served = |tasks_per_look| {
        let mut life = queue(1, 1.5, Distribution::Fixed(0.02));
        life.seconds = 1000.0;
        life.clients.patience = Distribution::Fixed(2.0);
        life.service.on_leave = OnLeave::Discard;
        life.service.tasks_per_look = tasks_per_look;
        let last = trace(&life, 10.0).pop().unwrap();
        let ProbeResult::Valid(health, _) = last.care else {
            panic!("no response");
        };
        let good = health.totals.requests_total.unwrap();
        assert_close(share(good, 1), 1000.0 / 0.02, 0.05);
        share(last.clients.served, good)
    };
    let [often, seldom] = [1, 61].map(served);
    assert!(often > 0.95 && seldom < 0.9 * often, "{often} {seldom}");
}
