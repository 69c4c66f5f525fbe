//! Recorded inputs for the frozen deciders: a stream of observations that depends on a seed alone. It is no
//! simulation: phases of symptoms follow one another at random, whatever a decider does. It must not change.

use std::time::Duration;

use super::{QUICK, observation};
use crate::episode::Decider;
use healing_core::decision::{Action, TreatmentReport, TreatmentResult};
use healing_core::health::{
    CheckKind, CheckReport, CheckState, Health, Latency, Runtime, Totals, Vitals,
};
use healing_core::observation::{InvalidAnswer, Now, Observation, ProbeResult};
use healing_core::rng::Rng;

/// Polls of a stream.
const POLLS: u64 = 600;
/// Longest phase in polls.
const LONGEST_PHASE: u32 = 40;

/// Symptoms of one phase.
struct Phase {
    error_share: f64,
    panic_share: f64,
    lag: f64,
    cpu: f64,
    leak: f64,
    load: f64,
    slow: bool,
    dependency_fails: bool,
    /// Probes of the phase: 0 to 5 as in [`Stream::observe`], all others answer.
    probes: u32,
}

impl Phase {
    fn draw(rng: &mut Rng) -> Self {
        let mut rarely = |share: f64, low: f64, high: f64| {
            let value = rng.between(low, high);
            if rng.unit() < share { value } else { 0.0 }
        };
        Self {
            error_share: rarely(0.4, 0.0, 0.6),
            panic_share: rarely(0.2, 0.0, 0.3),
            lag: rarely(0.15, 0.1, 1.5),
            cpu: rarely(0.3, 50.0, 70.0) + 20.0,
            leak: rarely(0.2, 0.05, 2.0),
            load: rarely(0.3, 0.5, 4.0) + 0.5,
            slow: rarely(0.2, 1.0, 2.0) > 0.0,
            dependency_fails: rarely(0.15, 1.0, 2.0) > 0.0,
            probes: rng.below(30),
        }
    }
}

/// State of the app that the stream shows.
struct Stream {
    rng: Rng,
    instance: u32,
    started: u64,
    totals: [u64; 3],
    memory: f64,
    buckets: [u64; 4],
}

/// Runs a decider on the stream of a seed. Returns the poll and action of each treatment.
pub(in crate::judge) fn run(seed: u64, decider: &mut dyn Decider) -> Vec<(u64, Action)> {
    let mut stream = Stream {
        rng: Rng::new(seed),
        instance: 0,
        started: 0,
        totals: [0; 3],
        memory: 30.0,
        buckets: [0; 4],
    };
    let (mut phase, mut ends) = (Phase::draw(&mut stream.rng), 0);
    let mut actions = Vec::new();
    for poll in 0..POLLS {
        if poll >= ends {
            phase = Phase::draw(&mut stream.rng);
            ends = poll + 1 + u64::from(stream.rng.below(LONGEST_PHASE));
            // Half of the phases follow a quiet one.
            if stream.rng.unit() < 0.5 {
                phase = Phase {
                    error_share: 0.0,
                    panic_share: 0.0,
                    lag: 0.0,
                    cpu: 20.0,
                    leak: 0.0,
                    load: 1.0,
                    slow: false,
                    dependency_fails: false,
                    probes: 29,
                };
            }
        }
        let now = Now {
            monotonic: Duration::from_secs(5 * poll),
            wall: Duration::from_secs(1_700_000_000 + 5 * poll),
        };
        let action = decider.poll(now, &stream.observe(&phase, 5 * poll));
        let result = match action {
            Action::NoAction => continue,
            Action::ResetErrors => TreatmentResult::Done,
            Action::RestartService => {
                stream.restart(5 * poll);
                TreatmentResult::Started
            }
        };
        actions.push((poll, action));
        decider.report(now, TreatmentReport { action, result });
    }
    actions
}

impl Stream {
    fn restart(&mut self, second: u64) {
        self.instance += 1;
        self.started = second;
        self.totals = [0; 3];
        self.memory = 30.0;
        self.buckets = [0; 4];
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small and not negative
    fn observe(&mut self, phase: &Phase, second: u64) -> Observation {
        let requests = 100.0 * phase.load * self.rng.between(0.8, 1.2);
        self.totals[0] += requests as u64;
        self.totals[2] += (requests * phase.panic_share) as u64;
        self.totals[1] += (requests * phase.error_share.max(phase.panic_share)) as u64;
        self.buckets[if phase.slow { 2 } else { 0 }] += requests as u64;
        self.memory = (self.memory + phase.leak).min(100.0);
        let mut observed = observation(&format!("{}", self.instance));
        if let ProbeResult::Valid(health, _) = &mut observed.care {
            self.fill(health, phase, second);
        }
        match phase.probes {
            0 => {
                (observed.care, observed.front_door) = (ProbeResult::Refused, ProbeResult::Refused);
            }
            1 => {
                (observed.care, observed.front_door) =
                    (ProbeResult::TimedOut, ProbeResult::TimedOut);
            }
            2 => observed.front_door = ProbeResult::TimedOut,
            3 => observed.care = ProbeResult::Invalid(InvalidAnswer::Malformed),
            4 => observed.front_door = ProbeResult::Refused,
            5 => observed.front_door = ProbeResult::Valid((), QUICK + Duration::from_millis(1500)),
            _ => {}
        }
        observed
    }

    #[allow(clippy::cast_precision_loss)] // seconds
    fn fill(&self, health: &mut Health, phase: &Phase, second: u64) {
        let [requests, errors, panics] = self.totals;
        health.uptime = (second - self.started) as f64;
        health.error_count = errors;
        health.totals = Totals {
            requests_total: Some(requests),
            errors_total: Some(errors),
            panics_total: Some(panics),
            ..Totals::default()
        };
        health.cpu_usage = Some(phase.cpu);
        health.memory_usage = Some(self.memory);
        health.latency = Some(Latency {
            bounds_seconds: vec![0.01, 0.1, 1.0],
            counts: self.buckets.to_vec(),
        });
        health.vitals = Some(Vitals {
            open_fds: Some(100),
            max_fds: Some(1024),
            ..Vitals::default()
        });
        health.runtime = Some(Runtime {
            tick_age_seconds: phase.lag / 2.0,
            lag_seconds: phase.lag,
            stalled: false,
            workers: None,
        });
        let state = if phase.dependency_fails {
            CheckState::Failing
        } else {
            CheckState::Passing
        };
        health.checks = vec![CheckReport {
            name: "dependency".to_owned(),
            kind: CheckKind::Dependency,
            optional: false,
            state,
            age_seconds: Some(1.0),
            error: None,
        }];
    }
}
