//! Queues in steady state: M/M/1, M/M/c, M/D/1, M/G/1, Little's law, closed loops.

use super::*;
use crate::episode::spec::{ClosedLoop, Pool};

const MEAN: f64 = 0.02;

#[test]
fn mm1_residence_time_is_service_time_over_idle_share() {
    for utilisation in [0.05, 0.5, 0.8, 0.9] {
        let measured = measure(&queue(1, utilisation, Distribution::Exponential(MEAN)));
        let residence = mean(measured.residence, measured.answered);
        assert_close(residence, MEAN / (1.0 - utilisation), 0.05);
    }
}

#[test]
fn mmc_waiting_probability_is_erlang_c() {
    for (workers, utilisation) in [(2, 0.7), (4, 0.8), (8, 0.9)] {
        let life = queue(workers, utilisation, Distribution::Exponential(MEAN));
        let measured = measure(&life);
        let waiting = erlang_c(workers, utilisation);
        assert_close(share(measured.waited, measured.begun), waiting, 0.05);
        let wait = waiting * MEAN / (f64::from(workers) * (1.0 - utilisation));
        assert_close(
            mean(measured.residence, measured.answered),
            MEAN + wait,
            0.05,
        );
    }
}

fn erlang_c(servers: u32, utilisation: f64) -> f64 {
    let load = f64::from(servers) * utilisation;
    let mut blocking = 1.0; // Erlang B, by its recursion
    for n in 1..=servers {
        blocking = load * blocking / (f64::from(n) + load * blocking);
    }
    blocking / (1.0 - utilisation * (1.0 - blocking))
}

#[test]
fn md1_and_mg1_waiting_times_follow_pollaczek_and_khinchine() {
    let sigma: f64 = 0.8;
    let lognormal = (sigma * sigma).exp() - 1.0; // squared coefficient of variation
    for (cpu, variation) in [
        (Distribution::Fixed(MEAN), 0.0),
        (Distribution::Lognormal(MEAN, sigma), lognormal),
    ] {
        for utilisation in [0.5, 0.8] {
            let measured = measure(&queue(1, utilisation, cpu));
            let wait = utilisation * MEAN * (1.0 + variation) / (2.0 * (1.0 - utilisation));
            assert_close(
                mean(measured.residence, measured.answered),
                MEAN + wait,
                0.05,
            );
        }
    }
}

#[test]
fn blocking_calls_and_pool_slots_queue_like_servers() {
    let mut blocking = queue(1, 0.8, Distribution::Exponential(MEAN));
    blocking.service.cpu = Distribution::Fixed(0.0);
    blocking.service.blocking = Distribution::Exponential(MEAN);
    let measured = measure(&blocking);
    assert_close(
        mean(measured.residence, measured.answered),
        5.0 * MEAN,
        0.05,
    );

    let mut pool = queue(4, 0.8, Distribution::Exponential(MEAN));
    pool.service.cpu = Distribution::Fixed(0.0);
    pool.service.pool = Some(Pool {
        slots: 4,
        hold: Distribution::Exponential(MEAN),
        acquire_timeout: f64::INFINITY,
    });
    let measured = measure(&pool);
    let wait = erlang_c(4, 0.8) * MEAN / (4.0 * 0.2);
    assert_close(
        mean(measured.residence, measured.answered),
        MEAN + wait,
        0.05,
    );
}

#[test]
fn requests_in_flight_follow_littles_law() {
    let mut life = queue(2, 0.85, Distribution::Exponential(MEAN));
    life.service.pool = Some(Pool {
        slots: 8,
        hold: Distribution::Lognormal(0.05, 0.5),
        acquire_timeout: f64::INFINITY,
    });
    let measured = measure(&life);
    let in_flight = measured.in_flight_seconds / life.seconds;
    let rate = mean(1.0, 1) * share(measured.begun, 1) / life.seconds;
    assert_close(
        in_flight,
        rate * mean(measured.inside, measured.begun),
        0.01,
    );
}

#[test]
fn closed_loop_throughput_stays_at_its_bounds() {
    for (clients, thinking) in [(5, 1.0), (200, 1.0)] {
        let mut life = queue(1, 0.5, Distribution::Exponential(MEAN));
        life.seconds = 5000.0;
        life.clients.rate = Rate::constant(0.0);
        life.clients.closed = Some(ClosedLoop {
            clients,
            thinking: Distribution::Exponential(thinking),
            from: 0.0,
        });
        let measured = measure(&life);
        let throughput = share(measured.answered, 1) / life.seconds;
        let residence = mean(measured.residence, measured.answered);
        assert_close(
            throughput,
            f64::from(clients) / (residence + thinking),
            0.02,
        );
        let asymptote = (f64::from(clients) / (MEAN + thinking)).min(1.0 / MEAN);
        assert!(
            throughput <= 1.02 * asymptote && throughput >= 0.95 * asymptote,
            "{throughput}"
        );
    }
}

#[test]
fn utilisation_is_load_over_capacity() {
    for utilisation in [0.05, 0.6] {
        let life = queue(2, utilisation, Distribution::Exponential(MEAN));
        assert_close(
            measure(&life).cpu_seconds / life.seconds / 2.0,
            utilisation,
            0.02,
        );
        assert_close(life.capacity(), 100.0, 1e-9);
    }
}

#[test]
fn unstable_queue_serves_at_capacity() {
    let life = queue(1, 1.2, Distribution::Exponential(MEAN));
    let measured = measure(&life);
    assert_close(share(measured.answered, 1) / life.seconds, 1.0 / MEAN, 0.02);
}
