//! What is done about each situation, and what is left alone.

use std::time::Duration;

use healing_core::config::PolicyConfig;
use healing_core::decision::{Action, Lane, Outcome, Reason, Verdict};
use healing_core::health::{CheckState, Health};
use healing_core::observation::{InvalidAnswer, Mode, ProbeResult};

use crate::world::{App, World, actions};

use Action::{ResetErrors, RestartService};

#[test]
fn a_healthy_app_is_left_alone() {
    let mut quiet = World::demo(App::healthy(200.0));
    quiet.run(60.0);
    assert_eq!(quiet.actions(), []);

    let mut floor = World::new(App {
        failing: 0.005,
        ..App::healthy(1000.0)
    });
    let decisions = floor.run(3600.0);
    assert_eq!(floor.actions(), [], "0.5 % of 1000 requests a second");
    assert!(
        decisions
            .iter()
            .all(|decision| decision.evidence == Reason::Healthy)
    );
}

#[test]
fn six_errors_of_an_app_at_rest_are_healed_softly() {
    for mut world in [
        World::new(App::healthy(0.0)),
        World::demo(App::healthy(0.0)),
    ] {
        world.run(30.0);
        world.app.simulate_errors(6.0);
        let decisions = world.run(60.0);
        assert_eq!(actions(&decisions), [ResetErrors]);
        assert_eq!(world.app.instance, 1);
        let heal = decisions
            .iter()
            .find(|decision| decision.action == ResetErrors)
            .unwrap();
        assert_eq!(heal.reason, Reason::ErrorCount);
        let concluded = decisions
            .iter()
            .find_map(|decision| decision.concluded)
            .unwrap();
        assert_eq!(
            (concluded.action, concluded.outcome),
            (ResetErrors, Outcome::Recovered)
        );
    }
}

#[test]
fn five_errors_are_not_enough() {
    let mut world = World::new(App::healthy(0.0));
    world.run(30.0);
    world.app.simulate_errors(5.0);
    world.run(120.0);
    assert_eq!(world.actions(), []);
}

#[test]
fn errors_before_the_doctor_started_count_for_a_young_app() {
    let mut world = World::new(App {
        uptime: 20.0,
        requests: 0.0,
        ..App::healthy(0.0)
    });
    world.app.simulate_errors(6.0);
    world.run(60.0);
    assert_eq!(world.actions().len(), 1);
}

#[test]
fn a_poisoned_cache_is_healed_once() {
    let mut world = World::new(App {
        soft_helps: true,
        ..App::healthy(100.0)
    });
    world.run(120.0);
    world.app.failing = 0.3;
    world.run(300.0);
    let actions = world.actions();
    assert_eq!(
        actions.len(),
        1,
        "{actions:?}: a cured app is not healed again"
    );
    assert_eq!(actions[0].1, ResetErrors);
    assert!(actions[0].0 <= 120.0 + 20.0);
    assert_eq!(world.app.instance, 1);
}

#[test]
fn an_app_that_recovers_by_itself_is_left_alone() {
    let mut world = World::new(App::healthy(100.0));
    world.run(120.0);
    world.app.failing = 0.3;
    world.run(5.0);
    world.app.failing = 0.0;
    world.run(120.0);
    assert_eq!(world.actions(), []);
}

#[test]
fn what_soft_heals_cannot_cure_escalates_and_ends() {
    let mut world = World::new(App {
        restart_helps: false,
        ..App::healthy(100.0)
    });
    world.run(120.0);
    world.app.failing = 0.5;
    let decisions = world.run(3600.0);
    assert_eq!(
        actions(&decisions),
        [ResetErrors, ResetErrors, RestartService]
    );
    let outcomes: Vec<_> = decisions
        .iter()
        .filter_map(|d| d.concluded)
        .map(|c| c.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Ineffective; 3]);
    let restart = decisions
        .iter()
        .find(|d| d.action == RestartService)
        .unwrap();
    assert_eq!(restart.evidence, Reason::SoftHealFailed);
    assert!(!restart.wedged);
    assert!(
        decisions.iter().any(|d| d.reason == Reason::Splay),
        "it looked again first"
    );
    assert_eq!(decisions.last().unwrap().reason, Reason::AttemptsExhausted);
}

#[test]
fn a_restart_that_helps_ends_the_escalation() {
    let mut world = World::new(App::healthy(100.0));
    world.run(120.0);
    world.app.failing = 0.5;
    let decisions = world.run(600.0);
    assert_eq!(
        actions(&decisions),
        [ResetErrors, ResetErrors, RestartService]
    );
    let last = decisions
        .iter()
        .filter_map(|d| d.concluded)
        .next_back()
        .unwrap();
    assert_eq!(
        (last.action, last.outcome),
        (RestartService, Outcome::Recovered)
    );
}

#[test]
fn few_errors_that_soft_heals_do_not_cure_are_no_reason_to_restart() {
    let mut world = World::new(App {
        restart_helps: false,
        failing: 1.0,
        ..App::healthy(0.2)
    });
    let decisions = world.run(1800.0);
    assert_eq!(actions(&decisions), [ResetErrors, ResetErrors]);
    assert!(decisions.iter().any(|d| d.reason == Reason::Escalation));
}

#[test]
fn an_outage_restarts_nothing() {
    let dependency = Some(CheckState::Passing);
    for mut world in [
        World::new(App {
            dependency,
            ..App::healthy(100.0)
        }),
        World::demo(App {
            dependency,
            ..App::healthy(100.0)
        }),
    ] {
        world.run(90.0);
        world.app.failing = 1.0;
        world.app.dependency = Some(CheckState::Failing);
        let decisions = world.run(600.0);
        assert_eq!(actions(&decisions), []);
        let vetoed: Vec<_> = decisions
            .iter()
            .filter(|d| d.verdict == Verdict::Vetoed)
            .collect();
        assert!(!vetoed.is_empty());
        assert!(vetoed.iter().all(|d| d.reason == Reason::DependencyDown));
        world.app.stalled = true;
        let decisions = world.run(60.0);
        assert_eq!(actions(&decisions), [], "not even a wedge");
    }
}

#[test]
fn an_outage_that_is_over_is_no_reason_to_heal() {
    let app = App {
        dependency: Some(CheckState::Passing),
        ..App::healthy(100.0)
    };
    for (mut world, seconds) in [(World::new(app.clone()), 60.0), (World::demo(app), 6.0)] {
        for still_ill in [false, true] {
            world.run(90.0);
            world.app.failing = 1.0;
            world.app.dependency = Some(CheckState::Failing);
            world.run(seconds);
            // What it broke in the app itself is seen by errors that come afterwards.
            world.app.failing = f64::from(u8::from(still_ill));
            world.app.soft_helps = true;
            world.app.dependency = Some(CheckState::Passing);
            let decisions = world.run(seconds);
            let expected: &[Action] = if still_ill { &[ResetErrors] } else { &[] };
            assert_eq!(actions(&decisions), expected);
            assert!(still_ill || decisions.iter().all(|d| d.verdict == Verdict::NoProposal));
        }
    }
}

#[test]
fn a_dependency_is_looked_at_again_before_the_first_heal() {
    // The check still says "passing", from before the errors.
    let mut world = World::demo(App {
        soft_helps: true,
        ..App::healthy(100.0)
    });
    world.run(20.0);
    world.app.failing = 1.0;
    let stale = |age: f64| {
        move |health: &mut Health| {
            let json = format!(
                r#"{{"name":"db","kind":"dependency","state":"passing","age_seconds":{age}}}"#
            );
            health.checks = vec![serde_json::from_str(&json).unwrap()];
        }
    };
    for poll in 0..20_u8 {
        let mut health = world.app.health();
        stale(2.0 + 0.25 * f64::from(poll))(&mut health);
        world.app.silent = Some(ProbeResult::Valid(health, Duration::from_millis(1)));
        let decision = world.poll();
        assert_eq!(decision.action, Action::NoAction);
    }
    assert_eq!(
        world.decisions.last().unwrap().1.reason,
        Reason::AwaitingChecks
    );
    let mut health = world.app.health();
    stale(0.1)(&mut health);
    world.app.silent = Some(ProbeResult::Valid(health, Duration::from_millis(1)));
    assert_eq!(world.poll().action, ResetErrors);
}

#[test]
fn a_wedge_is_restarted_at_once_and_verified() {
    for (mut world, hang) in [
        (World::new(App::healthy(100.0)), 10.0),
        (World::demo(App::healthy(100.0)), 2.0),
    ] {
        world.run(60.0);
        world.app.stalled = true;
        let decisions = world.run(100.0);
        assert_eq!(actions(&decisions), [RestartService]);
        let (when, _) = world.actions()[0];
        assert!(
            when <= 60.0 + hang + 2.0 * world.interval.as_secs_f64(),
            "{when}"
        );
        let restart = decisions
            .iter()
            .find(|d| d.action == RestartService)
            .unwrap();
        assert!(restart.wedged);
        assert_eq!(
            (restart.lane, restart.reason),
            (Lane::Stalled, Reason::RuntimeStalled)
        );
        let concluded = decisions.iter().find_map(|d| d.concluded).unwrap();
        assert_eq!(
            (concluded.action, concluded.outcome),
            (RestartService, Outcome::Recovered)
        );
    }
}

#[test]
fn clients_that_cannot_get_in_and_total_silence_are_wedges_too() {
    let mut door = World::new(App::healthy(100.0));
    door.run(60.0);
    door.app.front_door = ProbeResult::TimedOut;
    let decisions = door.run(30.0);
    let restart = decisions
        .iter()
        .find(|d| d.action == RestartService)
        .unwrap();
    assert_eq!(restart.reason, Reason::FrontDoorHangs);

    let mut silent = World::new(App::healthy(100.0));
    silent.run(60.0);
    silent.app.front_door = ProbeResult::TimedOut;
    silent.app.silent = Some(ProbeResult::TimedOut);
    let decisions = silent.run(30.0);
    let restart = decisions
        .iter()
        .find(|d| d.action == RestartService)
        .unwrap();
    assert_eq!(restart.reason, Reason::Unresponsive);
}

#[test]
fn an_app_that_refuses_is_the_supervisors_unless_it_lives() {
    for (alive, expected) in [
        (None, vec![]),
        (Some(false), vec![]),
        (Some(true), vec![RestartService]),
    ] {
        let mut world = World::new(App::healthy(100.0));
        world.circumstances.process_alive = alive;
        world.run(60.0);
        world.app.front_door = ProbeResult::Refused;
        world.app.silent = Some(ProbeResult::Refused);
        let decisions = world.run(40.0);
        assert_eq!(actions(&decisions), expected, "{alive:?}");
        assert!(decisions.iter().any(|d| d.evidence == Reason::AppDown));
    }
}

#[test]
fn an_app_that_was_never_ready_is_not_healed() {
    let mut world = World::new(App {
        started: false,
        uptime: 1.0,
        ..App::healthy(100.0)
    });
    world.circumstances.process_alive = Some(true);
    world.app.failing = 1.0;
    world.run(60.0);
    world.app.stalled = true;
    world.run(60.0);
    world.app.front_door = ProbeResult::Refused;
    world.app.silent = Some(ProbeResult::Refused);
    world.run(60.0);
    assert_eq!(world.actions(), []);
}

#[test]
fn nonsense_is_counted_and_nothing_else() {
    let mut world = World::new(App::healthy(100.0));
    world.circumstances.process_alive = Some(true);
    world.run(60.0);
    world.app.silent = Some(ProbeResult::Invalid(InvalidAnswer::Malformed));
    for front in [
        ProbeResult::Valid((), Duration::ZERO),
        ProbeResult::TimedOut,
        ProbeResult::Refused,
    ] {
        world.app.front_door = front;
        let decisions = world.run(600.0);
        assert_eq!(actions(&decisions), []);
        assert!(decisions.iter().all(|d| d.reason == Reason::InvalidAnswer));
    }
    let mut nan = world.app.health();
    nan.uptime = f64::NAN;
    nan.cpu_usage = Some(f64::INFINITY);
    nan.memory_usage = Some(f64::NAN);
    nan.runtime.as_mut().unwrap().lag_seconds = f64::NAN;
    world.app.silent = Some(ProbeResult::Valid(nan, Duration::ZERO));
    world.app.front_door = ProbeResult::Valid((), Duration::ZERO);
    world.run(600.0);
    assert_eq!(world.actions(), []);
}

#[test]
fn resource_use_alone_is_no_symptom() {
    let mut world = World::new(App {
        cpu: 99.0,
        memory: 95.0,
        ..App::healthy(100.0)
    });
    let decisions = world.run(600.0);
    assert_eq!(world.actions(), []);
    assert_eq!(decisions.last().unwrap().reason, Reason::ResourceUseOnly);
}

#[test]
fn overload_is_never_answered_by_a_restart() {
    let mut world = World::new(App::healthy(100.0));
    world.run(300.0);
    world.app = App {
        rate: 400.0,
        seconds: 0.4,
        failing: 0.5,
        ..world.app
    };
    let decisions = world.run(600.0);
    assert!(!actions(&decisions).contains(&RestartService));
    assert!(
        decisions
            .iter()
            .any(|d| d.vetoes.contains(Reason::Overload))
    );
}

#[test]
fn circumstances_forbid() {
    type Change = fn(&mut World);
    let cases: [(Change, Reason); 4] = [
        (|w| w.circumstances.paused = true, Reason::Paused),
        (|w| w.circumstances.draining = true, Reason::Draining),
        (|w| w.circumstances.mode = Mode::Observe, Reason::Observe),
        (|w| w.app.draining = true, Reason::Draining),
    ];
    for (change, reason) in cases {
        let mut world = World::new(App::healthy(100.0));
        change(&mut world);
        world.run(60.0);
        world.app.failing = 0.5;
        world.run(60.0);
        world.app.stalled = true;
        let decisions = world.run(60.0);
        assert_eq!(world.actions(), []);
        let last = decisions.last().unwrap();
        assert_eq!((last.proposed, last.reason), (RestartService, reason));
    }
    let mut world = World::new(App::healthy(100.0));
    world.circumstances.state_writable = false;
    world.run(60.0);
    world.app.stalled = true;
    let decisions = world.run(60.0);
    assert_eq!(decisions.last().unwrap().reason, Reason::StateUnavailable);
}

#[test]
fn the_budget_stops_a_restart_loop() {
    let mut world = World::new(App::healthy(100.0));
    for _ in 0..720 {
        world.app.stalled |= world.app.uptime > 20.0;
        world.poll();
    }
    let actions = world.actions();
    for window in actions.windows(4) {
        assert!(window[3].0 - window[0].0 >= 1800.0, "{actions:?}");
    }
    assert!(actions.len() >= 3);
    assert!(
        world
            .decisions
            .iter()
            .any(|(_, d)| d.reason == Reason::BudgetExhausted)
    );
}

#[test]
fn an_app_of_five_fields_is_understood() {
    let mut world = World::new(App::healthy(0.0));
    let mut error_count = 0;
    let mut uptime = 100.0;
    let mut healed = 0;
    for poll in 0..60 {
        if poll == 20 {
            error_count = 6;
        }
        uptime += 5.0;
        let json = format!(
            r#"{{"status":"healthy","cpu_usage":12,"memory_usage":30,"error_count":{error_count},"uptime":{uptime}}}"#
        );
        let health = serde_json::from_str(&json).unwrap();
        world.app.silent = Some(ProbeResult::Valid(health, Duration::from_millis(2)));
        if world.poll().action == ResetErrors {
            error_count = 0;
            healed += 1;
        }
    }
    assert_eq!((healed, world.actions().len()), (1, 1));
}

#[test]
fn a_doctor_that_exits_to_restart_the_app_judges_it_afterwards() {
    let mut world = World::new(App::healthy(100.0));
    world.run(60.0);
    world.app.stalled = true;
    while world.poll().action != RestartService {}
    assert_eq!(world.policy.state().awaiting(), Some(RestartService));
    world.restart_doctor();
    let decisions = world.run(120.0);
    let concluded = decisions.iter().find_map(|d| d.concluded).unwrap();
    assert_eq!(
        (concluded.action, concluded.outcome),
        (RestartService, Outcome::Recovered)
    );
    assert_eq!(decisions.last().unwrap().budget_remaining, 2);
    assert_eq!(world.policy.state().awaiting(), None);
}

#[test]
fn a_restart_of_the_app_by_others_begins_anew() {
    let mut world = World::new(App::healthy(100.0));
    world.run(60.0);
    world.app.failing = 0.5;
    world.run(20.0);
    assert_eq!(world.actions().len(), 1);
    world.app.restart();
    let decisions = world.run(300.0);
    assert_eq!(actions(&decisions), []);
    let outcome = decisions.iter().find_map(|d| d.concluded).unwrap().outcome;
    assert_eq!(outcome, Outcome::Worse, "it died within its probation");
}

#[test]
fn profiles_differ_in_time_only() {
    let demo = PolicyConfig::demo();
    let default = PolicyConfig::default();
    assert_eq!(demo.evidence.count_errors, default.evidence.count_errors);
    assert_eq!(demo.permission.budget, default.permission.budget);
}

#[test]
fn a_restart_for_a_hang_that_failed_says_nothing_of_soft_heals() {
    let mut world = World::new(App::healthy(100.0));
    world.run(60.0);
    world.app.stalled = true;
    while world.poll().action != RestartService {}
    world.app.failing = 0.3;
    world.app.soft_helps = true;
    let decisions = world.run(300.0);
    let outcomes: Vec<_> = decisions
        .iter()
        .filter_map(|d| d.concluded)
        .map(|c| c.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Worse, Outcome::Recovered]);
    assert_eq!(actions(&decisions), [ResetErrors]);
}
