//! Symptoms beside errors: what is done about them, and what must not be taken for one.

use std::time::Duration;

use healing_core::decision::{Action, Decision, Outcome, Reason};
use healing_core::health::CheckState;

use crate::world::{App, World, actions};

use Action::{ResetErrors, RestartService};

/// A world in which the app is known: what is usual has been learned.
fn settled(app: App) -> World {
    let mut world = World::new(app);
    // At noon: at night a busy CPU may be a job's.
    world.now.wall -= Duration::from_secs(world.now.wall.as_secs() % 86_400);
    world.now.wall += Duration::from_secs(12 * 3600);
    world.run(300.0);
    assert_eq!(world.actions(), []);
    world
}

type Change<T> = fn(&mut T);

fn restarts(decisions: &[Decision]) -> Vec<Reason> {
    let restart = |decision: &&Decision| decision.action == RestartService;
    decisions.iter().filter(restart).map(|d| d.reason).collect()
}

/// Most workers of the runtime are blocked: it ticks late, and requests take longer with it.
fn most_workers_block(app: &mut App) {
    app.lag = 0.6;
    app.seconds = 0.3;
}

/// Threads spin: the CPU is used up, and requests take longer with it.
fn threads_spin(app: &mut App) {
    app.cpu = 99.0;
    app.seconds = 0.3;
}

#[test]
fn a_runtime_that_hardly_ticks_is_restarted_and_verified() {
    let mut world = settled(App::healthy(100.0));
    most_workers_block(&mut world.app);
    let soon = world.run(15.0);
    assert_eq!(actions(&soon), [], "it must last");
    let decisions = world.run(120.0);
    assert_eq!(restarts(&decisions), [Reason::RuntimeLag]);
    assert_eq!(
        actions(&decisions),
        [RestartService],
        "no hook frees a thread"
    );
    assert!(decisions.iter().any(|d| d.reason == Reason::Splay));
    let concluded = decisions.iter().find_map(|d| d.concluded).unwrap();
    assert_eq!(concluded.outcome, Outcome::Recovered);
}

#[test]
fn a_late_runtime_is_left_alone_where_it_is_not_the_apps_own_or_harms_nobody() {
    let cases: [(&str, Change<App>); 4] = [
        ("the machine is slow", |app| app.care_seconds = 0.2),
        ("nobody suffers", |app| app.seconds = 0.003),
        ("as late as on a busy machine", |app| app.lag = 0.15),
        ("a dependency is down", |app| {
            app.dependency = Some(CheckState::Failing);
        }),
    ];
    for (case, change) in cases {
        let mut world = settled(App::healthy(100.0));
        most_workers_block(&mut world.app);
        change(&mut world.app);
        assert_eq!(actions(&world.run(600.0)), [], "{case}");
    }
}

#[test]
fn hiccups_do_not_last() {
    // The worst lag is remembered for ten seconds: one bad second is two bad polls, or forty.
    for mut world in [
        settled(App::healthy(100.0)),
        World::demo(App::healthy(100.0)),
    ] {
        world.run(60.0);
        for _ in 0..20 {
            most_workers_block(&mut world.app);
            world.run(10.0);
            world.app.lag = 0.001;
            world.run(5.0);
        }
        assert_eq!(world.actions(), []);
    }
}

#[test]
fn a_used_up_cpu_that_harms_clients_is_restarted() {
    let mut world = settled(App::healthy(100.0));
    threads_spin(&mut world.app);
    let decisions = world.run(180.0);
    assert_eq!(restarts(&decisions), [Reason::CpuSaturated]);
    assert_eq!(actions(&decisions), [RestartService]);
}

#[test]
fn a_used_up_cpu_is_left_alone_at_night_under_load_and_where_nobody_suffers() {
    let cases: [(&str, Change<World>); 3] = [
        ("a job, at night", |world| {
            world.now.wall += Duration::from_secs(14 * 3600);
        }),
        ("twice the load", |world| world.app.rate = 190.0),
        ("nobody suffers", |world| world.app.seconds = 0.003),
    ];
    for (case, change) in cases {
        let mut world = settled(App::healthy(100.0));
        threads_spin(&mut world.app);
        change(&mut world);
        assert_eq!(actions(&world.run(600.0)), [], "{case}");
    }
}

#[test]
fn panics_that_go_on_after_a_soft_heal_end_in_a_restart() {
    let mut world = settled(App::healthy(100.0));
    world.app.panicking = 0.3;
    let decisions = world.run(300.0);
    assert_eq!(actions(&decisions), [ResetErrors, RestartService]);
    assert_eq!(restarts(&decisions), [Reason::RepeatedPanics]);

    // Too few errors for a soft heal's ratio rule, not too few panics.
    let mut few = settled(App::healthy(100.0));
    few.app.panicking = 0.06;
    assert_eq!(restarts(&few.run(300.0)), [Reason::RepeatedPanics]);
}

#[test]
fn panics_that_a_soft_heal_ends_are_no_reason_to_restart() {
    let mut world = settled(App::healthy(100.0));
    world.app.panicking = 0.3;
    while world.poll().action != ResetErrors {}
    world.app.panicking = 0.0;
    assert_eq!(actions(&world.run(600.0)), []);
}

#[test]
fn a_bad_rollout_is_not_restarted() {
    let cases: [Change<App>; 4] = [
        |app| app.failing = 0.5,
        |app| app.panicking = 0.5,
        most_workers_block,
        threads_spin,
    ];
    for ill_from_the_start in cases {
        let mut world = World::new(App::healthy(100.0));
        world.run(300.0);
        world.app.restart();
        world.app.restart_helps = false;
        ill_from_the_start(&mut world.app);
        let decisions = world.run(1800.0);
        assert_eq!(restarts(&decisions), []);
        let mut why = decisions.iter().map(|decision| decision.reason);
        assert!(why.any(|r| matches!(r, Reason::NeverAvailable | Reason::Escalation)));
    }
}

#[test]
fn a_version_that_worked_is_restarted_soon_after_its_start() {
    let mut world = World::new(App::healthy(100.0));
    world.run(300.0);
    world.app.restart();
    world.run(60.0);
    world.app.panicking = 0.5;
    assert_eq!(restarts(&world.run(300.0)), [Reason::RepeatedPanics]);
}

#[test]
fn what_a_restart_did_not_cure_is_not_restarted_again() {
    for ill in [most_workers_block, threads_spin] {
        let mut world = settled(App {
            restart_helps: false,
            ..App::healthy(100.0)
        });
        ill(&mut world.app);
        let decisions = world.run(3600.0);
        assert_eq!(restarts(&decisions).len(), 1);
        let outcomes: Vec<_> = decisions.iter().filter_map(|d| d.concluded).collect();
        assert_eq!(outcomes[0].outcome, Outcome::Ineffective);
    }
}

#[test]
fn a_relapse_waits_longer_each_time() {
    let mut world = settled(App {
        soft_helps: true,
        ..App::healthy(100.0)
    });
    for _ in 0..720 {
        // Cured for three quarters of a minute, and ill again.
        let cured_for = world
            .decisions
            .iter()
            .rev()
            .take_while(|(_, d)| d.action == Action::NoAction);
        if cured_for.count() > 9 {
            world.app.failing = 0.5;
        }
        world.poll();
    }
    let actions = world.actions();
    assert!(actions.iter().all(|(_, action)| *action == ResetErrors));
    let pauses: Vec<f64> = actions
        .windows(2)
        .map(|pair| pair[1].0 - pair[0].0)
        .collect();
    assert!(pauses.len() >= 5, "{pauses:?}");
    assert!(pauses[4] >= 480.0, "{pauses:?}");
}
