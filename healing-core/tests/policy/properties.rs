//! Invariants of the guards, for every app, model and clock.
//!
//! The test makes ten thousand random runs with random faults of the app, polls at random intervals,
//! hostile models, operator actions, jumping wall clocks, and sidecar restarts. The checks do not read
//! the policy's state, but compare its decisions with its inputs.

mod arbitrary;
mod consistency;
mod event;
mod run;
mod setup;

use std::collections::BTreeMap;
use std::time::Duration;

use healing_core::decision::{Reason, TreatmentReport, TreatmentResult};
use healing_core::observation::{Circumstances, Mode, Now, Observation, ProbeResult};
use healing_core::policy::PolicyState;
use proptest::prelude::*;
use proptest::test_runner::{Config, FailurePersistence, FileFailurePersistence, TestRunner};

use self::arbitrary::{arbitrary_health, arbitrary_sockets};
use self::consistency::assert_consistent;
use self::event::{Event, event};
use self::run::Run;
use self::setup::Setup;

/// Returns the committed file with the seeds of failures, which run before the random cases.
macro_rules! regressions {
    ($name:literal) => {{
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/proptest-regressions/",
            $name,
            ".txt"
        );
        let file: Box<dyn FailurePersistence> = Box::new(FileFailurePersistence::Direct(path));
        Some(file)
    }};
}

#[test]
fn guards_hold_in_every_random_run() {
    let cases = 10_000;
    let (mut restarts, mut soft_heals) = (0, 0);
    let mut reasons = BTreeMap::<Reason, usize>::new();
    let counts = std::cell::RefCell::new((&mut restarts, &mut soft_heals, &mut reasons));
    let config = Config {
        cases,
        failure_persistence: regressions!("runs"),
        ..Config::default()
    };
    TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    )
    .run(
        &(any::<u8>(), prop::collection::vec(event(), 1..40)),
        |(number, events)| {
            let mut run = Run::new(Setup::of(number));
            run.apply(Event::Polls {
                count: 1,
                interval_ms: 100,
            });
            for event in events {
                run.apply(event);
            }
            let mut counts = counts.borrow_mut();
            *counts.0 += run.restarts.len();
            *counts.1 += run.soft_heals;
            for (reason, count) in run.reasons {
                *counts.2.entry(reason).or_default() += count;
            }
            Ok(())
        },
    )
    .unwrap();
    println!("{restarts} restarts ({reasons:?}), {soft_heals} soft heals");
    // Runs without treatments would test nothing.
    assert!(restarts > 2_000, "{restarts} restarts");
    assert!(soft_heals > 1_000, "{soft_heals} soft heals");
    for reason in [
        Reason::RuntimeStalled,
        Reason::SoftHealFailed,
        Reason::LimitForecast,
        Reason::RepeatedPanics,
        Reason::FrontDoorRefused,
        Reason::Unresponsive,
    ] {
        let count = reasons.get(&reason).copied().unwrap_or_default();
        assert!(count >= 20, "{count} restarts for {reason}");
    }
}

#[test]
fn policy_accepts_any_number_in_a_report() {
    let config = Config {
        cases: 200,
        failure_persistence: regressions!("reports"),
        ..Config::default()
    };
    let polls = prop::collection::vec(
        (
            arbitrary_health(),
            arbitrary_sockets(),
            any::<u64>(),
            any::<u64>(),
        ),
        1..30,
    );
    TestRunner::new(config)
        .run(&(any::<u8>(), polls), |(number, polls)| {
            let setup = Setup {
                seed: 1,
                ..Setup::of(number)
            };
            let mut policy = setup.policy();
            for (health, sockets, monotonic, wall) in polls {
                let now = Now {
                    monotonic: Duration::from_millis(monotonic >> (number % 64)),
                    wall: Duration::from_millis(wall),
                };
                let decision = policy.step(
                    now,
                    &Observation {
                        sockets,
                        care: ProbeResult::Valid(health, Duration::MAX),
                        front_door: ProbeResult::Valid((), Duration::MAX),
                        circumstances: Circumstances {
                            mode: Mode::Enforce,
                            ..Circumstances::default()
                        },
                    },
                );
                assert_consistent(&decision);
                assert!(decision.features.iter().all(|(_, value)| value.is_finite()));
                let report = TreatmentReport {
                    action: decision.action,
                    result: TreatmentResult::Started,
                };
                policy.report_treatment(now, report);
                let saved = serde_json::to_string(&policy.state()).unwrap();
                assert_eq!(
                    serde_json::from_str::<PolicyState>(&saved).unwrap(),
                    policy.state()
                );
            }
            Ok(())
        })
        .unwrap();
}
