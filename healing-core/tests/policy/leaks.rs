//! Forecast of leaks, in recordings of the patient until the kernel killed it and in simulation.

use std::time::Duration;

use healing_core::config::PolicyConfig;
use healing_core::decision::{Action, Reason};
use healing_core::forecast::Resource;
use healing_core::health::Health;
use healing_core::observation::{Circumstances, Mode, Now, Observation, ProbeResult};
use healing_core::policy::{Policy, Proposer};

use crate::world::{App, World};

/// One line of a recording (`benches/record-leak.sh`).
#[derive(serde::Deserialize)]
struct Poll {
    seconds: f64,
    health: Health,
}

/// Returns the times before the kill, in seconds, at which the policy warned and at which it would have
/// restarted the app.
fn lead(recording: &str) -> (f64, f64) {
    let polls: Vec<Poll> = recording
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let killed = polls.last().unwrap().seconds;
    let mut policy = Policy::new(PolicyConfig::default(), Proposer::Rules, 1);
    let (mut warned, mut treated) = (None, None);
    for poll in polls {
        let wall = Duration::from_secs(1_790_000_000) + Duration::from_secs_f64(poll.seconds);
        let now = Now {
            monotonic: Duration::from_secs_f64(poll.seconds),
            wall,
        };
        let decision = policy.step(
            now,
            &Observation {
                sockets: None,
                care: ProbeResult::Valid(poll.health, Duration::from_millis(1)),
                front_door: ProbeResult::Valid((), Duration::from_millis(1)),
                circumstances: Circumstances {
                    mode: Mode::Enforce,
                    ..Circumstances::default()
                },
            },
        );
        if matches!(
            decision.evidence,
            Reason::AwaitingLowLoad | Reason::LimitForecast
        ) {
            warned.get_or_insert(killed - poll.seconds);
            let forecast = policy.forecast(Resource::Memory).unwrap();
            assert!(forecast.confidence >= 0.8);
            // A straight line approximates the remaining time.
            let left = forecast.time_to_limit.as_secs_f64();
            let truth = killed - poll.seconds;
            assert!(
                (left - truth).abs() <= 0.25 * truth + 20.0,
                "{left} for {truth}"
            );
        } else {
            assert_eq!(decision.evidence, Reason::Healthy, "at {}", poll.seconds);
        }
        if decision.action == Action::RestartService {
            treated.get_or_insert(killed - poll.seconds);
        }
    }
    (warned.expect("a warning"), treated.expect("a treatment"))
}

#[test]
fn recorded_leaks_are_forecast_a_minute_before_the_kill() {
    for (minutes, recording) in [
        (5, include_str!("../data/leak-5min.jsonl")),
        (15, include_str!("../data/leak-15min.jsonl")),
    ] {
        let (warned, treated) = lead(recording);
        println!("RESULT leak_{minutes}min_warning_lead {warned:.0} s");
        println!("RESULT leak_{minutes}min_treatment_lead {treated:.0} s");
        assert!(
            warned >= 60.0,
            "{minutes} minutes: warned {warned} s before"
        );
        assert!(
            treated >= 20.0,
            "{minutes} minutes: treated {treated} s before"
        );
    }
}

/// Returns an app whose memory grows from 30 % by `rate` percent per second.
fn leaking(rate: f64) -> App {
    App {
        memory: 30.0,
        memory_per_second: rate,
        ..App::healthy(100.0)
    }
}

#[test]
fn leak_without_low_load_is_treated_20_seconds_before_the_limit() {
    for rate in [70.0 / 300.0, 70.0 / 900.0, 70.0 / 3600.0] {
        let mut world = World::new(leaking(rate));
        let before = loop {
            let memory = world.app.memory;
            if world.poll().action == Action::RestartService {
                break memory;
            }
            assert!(world.app.memory < 99.0, "too late at {rate} % per second");
        };
        let left = (100.0 - before) / rate;
        assert!(left >= 20.0, "{left} s left");
    }
}

#[test]
fn sawtooth_raises_no_alarm_within_a_day() {
    for period in [60.0, 600.0, 3600.0] {
        let mut world = World::new(App::healthy(50.0));
        let mut second: f64 = 0.0;
        while second < 86_400.0 {
            world.app.memory = 35.0 + 40.0 * (second / period).fract();
            let decision = world.poll();
            assert_eq!(
                decision.evidence,
                Reason::Healthy,
                "at {second} s with a period of {period} s"
            );
            second += 5.0;
            world.decisions.clear();
        }
    }
}
