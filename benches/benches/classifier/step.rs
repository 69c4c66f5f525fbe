//! Step of the policy, from poll to decision, with fifteen features and a model.

use std::hint::black_box;
use std::time::Duration;

use healing_core::config::PolicyConfig;
use healing_core::health::{Health, Latency, Runtime, Totals, Vitals};
use healing_core::model::Model;
use healing_core::observation::{Circumstances, Now, Observation, ProbeResult};
use healing_core::policy::Policy;
use healing_core::policy::Proposer;

use crate::timing::best_of_7;

/// Number of polls that fill the windows before the timing.
const WARM_UP: u64 = 300;

/// Returns nanoseconds per step, the best of seven rounds.
pub(crate) fn nanoseconds(model: Model) -> f64 {
    let mut policy = Policy::new(PolicyConfig::default(), Proposer::Model(Box::new(model)), 1);
    let mut poll = 0;
    let mut observation = observation(0);
    while poll < WARM_UP {
        poll += 1;
        advance(&mut observation, poll);
        policy.step(now(poll), &observation);
    }
    let mut classified = 0;
    let best = best_of_7([&mut || {
        poll += 1;
        advance(&mut observation, poll);
        let decision = black_box(policy.step(now(poll), black_box(&observation)));
        classified += u32::from(decision.probabilities.is_some());
    }])[0];
    assert!(classified > 1000, "the model must classify: {classified}");
    best
}

fn now(poll: u64) -> Now {
    let monotonic = Duration::from_secs(5 * poll);
    Now {
        monotonic,
        wall: monotonic + Duration::from_secs(1_800_000_000),
    }
}

/// Returns the observation of a healthy app at 100 requests per second that reports every figure.
fn observation(poll: u64) -> Observation {
    let health = Health {
        cpu_usage: Some(20.0),
        memory_usage: Some(30.0),
        uptime: 3600.0,
        instance_id: Some("instance-1".to_owned()),
        started: Some(true),
        in_flight: Some(3),
        latency: Some(Latency {
            bounds_seconds: vec![0.005, 0.05, 0.5, 5.0],
            counts: vec![0; 5],
        }),
        vitals: Some(Vitals {
            open_fds: Some(40),
            max_fds: Some(1024),
            ..Vitals::default()
        }),
        runtime: Some(Runtime {
            tick_age_seconds: 0.01,
            lag_seconds: 0.001,
            stalled: false,
            stall_after_seconds: None,
            workers: None,
        }),
        ..Health::default()
    };
    let mut observation = Observation {
        sockets: None,
        care: ProbeResult::Valid(health, Duration::from_millis(1)),
        front_door: ProbeResult::Valid((), Duration::from_millis(1)),
        circumstances: Circumstances::default(),
    };
    advance(&mut observation, poll);
    observation
}

/// Advances the app by five seconds; a few requests fail.
fn advance(observation: &mut Observation, poll: u64) {
    if let ProbeResult::Valid(health, _) = &mut observation.care {
        health.uptime += 5.0;
        health.totals = Totals {
            requests_total: Some(500 * poll),
            errors_total: Some(poll / 3),
            panics_total: Some(0),
            ..Totals::default()
        };
        health.error_count = poll / 3;
        if let Some(latency) = &mut health.latency {
            latency.counts[0] = 480 * poll;
            latency.counts[1] = 20 * poll;
        }
    }
}
