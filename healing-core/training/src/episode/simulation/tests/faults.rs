//! Effects of the faults on clients and figures, and the treatments that stop them.

use super::*;
use crate::episode::spec::{Cure, Effect, Fault, Pool, Route};

const ONSET: f64 = 300.0;
const TREATED: f64 = 400.0;

/// Returns an app at 20 requests per second with four workers and a pool, and one fault.
fn with(effect: Effect, cure: Cure) -> Life {
    let mut life = Life::new(6);
    life.seconds = 900.0;
    life.clients.rate = Rate::constant(20.0);
    life.service.workers = 4;
    life.service.cpu = Distribution::Fixed(0.004);
    life.service.pool = Some(Pool {
        slots: 10,
        hold: Distribution::Fixed(0.03),
        acquire_timeout: f64::INFINITY,
    });
    life.faults = vec![Fault::new(effect, cure, ONSET)];
    life
}

/// Returns the outcomes after no treatment, a soft heal and a restart, and the record of the first.
fn outcomes(life: &Life) -> ([EpisodeOutcome; 3], Recorder) {
    let mut untreated = Recorder::default();
    let none = simulate(life, &mut untreated).0;
    let treated = |action| simulate(life, &mut Recorder::at(TREATED, action)).0;
    let [soft, hard] = [Action::ResetErrors, Action::RestartService].map(treated);
    ([none, soft, hard], untreated)
}

/// Asserts that only a restart stops a fault.
#[track_caller]
fn assert_restart_cures(life: &Life) -> Recorder {
    let ([none, soft, hard], recorder) = outcomes(life);
    assert!(none.treatable && none.recovery.is_none());
    assert!(
        soft.failed * 10 > none.failed * 9,
        "{} {}",
        soft.failed,
        none.failed
    );
    assert!(
        hard.failed * 2 < none.failed,
        "{} {}",
        hard.failed,
        none.failed
    );
    assert!(hard.treatments[0].helped && hard.recovery.is_some());
    recorder
}

#[test]
fn convoy_serves_one_request_at_a_time_and_hides_the_others() {
    let recorder = assert_restart_cures(&with(Effect::Convoy(0.12), Cure::Restart));
    let answers = recorder.answers(600.0, 800.0);
    let ended = |health: &Health| health.totals.requests_total.unwrap();
    let seconds = answers[answers.len() - 1].uptime - answers[0].uptime;
    let served = share(ended(answers[answers.len() - 1]) - ended(answers[0]), 1) / seconds;
    assert_close(served, 1.0 / 0.12, 0.05);
    assert!(
        answers.iter().all(|health| health.in_flight.unwrap() <= 6),
        "workers and pool"
    );
    assert!(
        recorder
            .front_door(600.0, 800.0)
            .iter()
            .all(|r| **r == ProbeResult::TimedOut)
    );
}

#[test]
fn wedge_serves_nothing_and_stalls_the_runtime() {
    let recorder = assert_restart_cures(&with(Effect::Wedge, Cure::Restart));
    let stalled = |health: &&Health| health.runtime.as_ref().unwrap().stalled;
    assert!(
        recorder
            .answers(0.0, ONSET + 9.0)
            .iter()
            .all(|health| !stalled(health))
    );
    assert!(recorder.answers(ONSET + 12.0, 900.0).iter().all(stalled));
}

#[test]
fn blocked_workers_leave_the_others_at_work() {
    let life = with(Effect::BlockedWorkers(3), Cure::Restart);
    assert_eq!(outcomes(&life).0[0].failed, 0, "one worker is enough");
    let mut life = with(Effect::BlockedWorkers(3), Cure::Restart);
    life.service.cpu = Distribution::Fixed(0.1);
    assert_restart_cures(&life);
}

#[test]
fn slow_consumer_behind_an_unbounded_queue_lets_clients_time_out() {
    let recorder = assert_restart_cures(&with(Effect::SlowPool(20.0), Cure::Restart));
    // 10 slots of 0.6 s serve 16.7 of 20 requests per second; waiting clients leave after 10 s.
    let health = recorder.answers(850.0, 900.0)[0];
    assert!(health.totals.cancelled_total.unwrap() > 500);
    assert!(health.in_flight.unwrap() > 100, "{:?}", health.in_flight);
    assert_eq!(health.totals.errors_total, Some(0));
}

#[test]
fn pool_leak_exhausts_the_pool_and_ends_by_a_soft_heal() {
    let mut life = with(Effect::PoolLeak(0.2), Cure::SoftHeal);
    life.service.local_check = true;
    let ([none, soft, hard], recorder) = outcomes(&life);
    assert!(none.failed > 20 * 400 && soft.failed < none.failed / 4);
    assert!(soft.treatments[0].helped && hard.treatments[0].helped);
    let failing = |health: &Health| health.checks[0].state == CheckState::Failing;
    assert!(failing(recorder.answers(400.0, 500.0)[2]));
    assert!(!failing(recorder.answers(200.0, 300.0)[0]));
}

#[test]
fn jammed_requests_wait_until_their_clients_leave() {
    let ([none, soft, _], recorder) = outcomes(&with(Effect::Jam(0.25), Cure::SoftHeal));
    assert_close(share(none.failed, 1), 0.25 * 20.0 * 590.0, 0.1);
    assert!(soft.failed < none.failed / 4);
    assert_close(
        share(recorder.answers(850.0, 900.0)[0].in_flight.unwrap(), 1),
        50.0,
        0.2,
    );
}

#[test]
fn pool_with_a_time_limit_fails_requests_as_errors() {
    let mut life = with(Effect::PoolLeak(1.0), Cure::SoftHeal);
    if let Some(pool) = &mut life.service.pool {
        pool.acquire_timeout = 3.0;
    }
    let recorder = outcomes(&life).1;
    let totals = &recorder.answers(850.0, 900.0)[0].totals;
    assert!(totals.errors_total.unwrap() > 8000 && totals.cancelled_total == Some(0));
}

#[test]
fn poisoned_cache_ends_by_a_soft_heal_and_dead_task_by_a_restart() {
    let ([none, soft, _], recorder) = outcomes(&with(Effect::Errors(0.3), Cure::SoftHeal));
    assert_close(share(none.failed, 1), 0.3 * 20.0 * 600.0, 0.1);
    assert_close(share(soft.failed, 1), 0.3 * 20.0 * 100.0, 0.15);
    assert_close(soft.recovery.unwrap().as_secs_f64(), 105.0, 0.1);
    let last = recorder.answers(880.0, 900.0)[0];
    assert!(last.error_count > 3000 && last.totals.panics_total == Some(0));
    assert_restart_cures(&with(Effect::Errors(0.3), Cure::Restart));
}

#[test]
fn panics_are_counted_as_errors_too() {
    let recorder = assert_restart_cures(&with(Effect::Panics(0.2), Cure::Restart));
    let totals = &recorder.answers(880.0, 900.0)[0].totals;
    assert_eq!(totals.panics_total, totals.errors_total);
}

#[test]
fn route_fault_fails_its_share_of_one_route() {
    let mut life = with(Effect::RouteErrors(1, 1.0), Cure::Nothing);
    let route = |share| Route {
        share,
        share_after: share,
        cpu: 1.0,
    };
    life.service.routes = vec![route(0.95), route(0.05)];
    let ([none, soft, hard], _) = outcomes(&life);
    assert_close(share(none.failed, 1), 0.05 * 20.0 * 600.0, 0.15);
    assert!(!none.treatable && soft.failed == none.failed && hard.failed >= none.failed);
}

#[test]
fn dead_front_door_refuses_or_hangs_while_the_runtime_ticks() {
    for (closed, expected) in [(true, ProbeResult::Refused), (false, ProbeResult::TimedOut)] {
        let recorder = assert_restart_cures(&with(Effect::DeadFrontDoor(closed), Cure::Restart));
        assert!(
            recorder
                .front_door(310.0, 900.0)
                .iter()
                .all(|r| **r == expected)
        );
        for health in recorder.answers(310.0, 900.0) {
            assert!(health.runtime.as_ref().unwrap().lag_seconds < 0.1);
        }
    }
}

#[test]
fn dependency_outage_fails_its_check_and_no_treatment_helps() {
    let mut life = with(Effect::DependencyDown(0.9), Cure::Nothing);
    life.service.dependencies = 2;
    life.faults[0].end = 600.0;
    let ([none, _, hard], recorder) = outcomes(&life);
    assert!(hard.failed > none.failed * 9 / 10);
    assert_close(none.recovery.unwrap().as_secs_f64(), 300.0, 0.05);
    let failing = recorder.answers(310.0, 600.0).into_iter();
    let failing = failing.filter(|health| health.checks[0].state == CheckState::Failing);
    assert!(failing.count() > 45);
}

#[test]
fn slow_undeclared_dependency_passes_all_checks() {
    let mut life = with(Effect::SlowPool(100.0), Cure::Nothing);
    life.service.dependencies = 1;
    let ([none, _, hard], recorder) = outcomes(&life);
    assert!(none.failed > 8000 && hard.failed > none.failed * 9 / 10);
    let passing = |health: &Health| health.checks[0].state == CheckState::Passing;
    assert!(
        recorder
            .answers(350.0, 900.0)
            .iter()
            .all(|health| passing(health))
    );
}

#[test]
fn more_expensive_mix_needs_more_cpu() {
    let mut life = with(Effect::Errors(0.0), Cure::Nothing);
    life.faults.clear();
    let route = |share, share_after, cpu| Route {
        share,
        share_after,
        cpu,
    };
    life.service.routes = vec![route(1.0, 0.5, 1.0), route(0.0, 0.5, 4.0)];
    life.service.mix_changes_at = 450.0;
    assert_close(measure(&life).cpu_seconds, 20.0 * 0.004 * 450.0 * 3.5, 0.03);
}
