//! Traces: the figures of a life without treatments.

use super::*;
use crate::episode::simulation::trace;

#[test]
fn trace_counts_each_request_by_its_end() {
    let mut life = queue(1, 1.5, Distribution::Exponential(0.02));
    life.seconds = 100.0;
    life.service.errors = 0.1;
    life.clients.patience = Distribution::Fixed(2.0);
    let points = trace(&life, 1.0);
    assert_eq!(points.len(), 100);
    let last = points.last().unwrap();
    let clients = last.clients;
    assert_close(share(clients.sent, 1), 7500.0, 0.05);
    assert!(clients.served > 0 && clients.timed_out > clients.served);
    assert!(clients.errors > 0 && (clients.refused, clients.reset) == (0, 0));
    let ended = clients.served + clients.errors + clients.timed_out;
    let waiting = clients.sent - ended;
    assert!((100..300).contains(&waiting), "{waiting}");
    assert_eq!(last.front_door, ProbeResult::TimedOut);
    assert!(last.backlog > 1000);
}

#[test]
fn trace_is_that_of_the_untreated_life() {
    let mut life = queue(2, 0.8, Distribution::Exponential(0.02));
    life.seconds = 600.0;
    life.machine.quota = Some(1.7);
    let last = trace(&life, 10.0).pop().unwrap();
    let measured = measure(&life);
    assert_eq!(last.clients.served + last.clients.errors, measured.answered);
    let ProbeResult::Valid(health, _) = last.care else {
        panic!("no response");
    };
    assert_close(health.uptime, 3600.0 + 600.0, 1e-9);
    assert!(last.cpu.periods > 5900 && last.cpu.throttled_periods * 10 > last.cpu.periods);
    assert!(last.cpu.throttled_run_queue >= last.cpu.throttled);
}
