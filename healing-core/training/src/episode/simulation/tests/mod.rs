//! Tests of the simulation against known results.

mod clients;
mod connections;
mod doctor;
mod faults;
mod figures;
mod lifecycle;
mod machine;
mod queueing;
mod trace;

use super::Measured;
use crate::episode::spec::{Distribution, Life, Rate};
use crate::episode::{Decider, EpisodeOutcome};
use healing_core::decision::{Action, TreatmentReport};
use healing_core::health::{CheckState, Health};
use healing_core::observation::{Now, Observation, ProbeResult};

/// Decider that takes one action at one time, and keeps the observations.
#[derive(Debug, Default)]
struct Recorder {
    action: Option<(f64, Action)>,
    polls: Vec<(f64, Observation)>,
    reports: Vec<TreatmentReport>,
}

impl Decider for Recorder {
    fn poll(&mut self, now: Now, observation: &Observation) -> Action {
        let seconds = now.monotonic.as_secs_f64();
        self.polls.push((seconds, observation.clone()));
        match self.action.take_if(|(at, _)| *at <= seconds) {
            Some((_, action)) => action,
            None => Action::NoAction,
        }
    }

    fn report(&mut self, _: Now, treatment: TreatmentReport) {
        self.reports.push(treatment);
    }
}

impl Recorder {
    fn at(seconds: f64, action: Action) -> Self {
        Self {
            action: Some((seconds, action)),
            ..Self::default()
        }
    }

    /// Returns the valid responses of the care port between two times.
    fn answers(&self, from: f64, to: f64) -> Vec<&Health> {
        let polls = self.polls.iter().filter(|(at, _)| (from..to).contains(at));
        polls
            .filter_map(|(_, observation)| match &observation.care {
                ProbeResult::Valid(health, _) => Some(health),
                _ => None,
            })
            .collect()
    }

    /// Returns the results of the front door between two times.
    fn front_door(&self, from: f64, to: f64) -> Vec<&ProbeResult<()>> {
        let polls = self.polls.iter().filter(|(at, _)| (from..to).contains(at));
        polls
            .map(|(_, observation)| &observation.front_door)
            .collect()
    }
}

fn simulate(life: &Life, recorder: &mut Recorder) -> (EpisodeOutcome, Measured) {
    let simulated = super::simulate(life, recorder);
    (simulated.outcome, simulated.measured)
}

/// Returns the figures of a life without treatments.
fn measure(life: &Life) -> Measured {
    simulate(life, &mut Recorder::default()).1
}

/// Returns the life of a queue without time limits: `workers` at this utilisation, mean CPU 20 ms.
fn queue(workers: u32, utilisation: f64, cpu: Distribution) -> Life {
    let mut life = Life::new(42);
    life.seconds = 20_000.0;
    life.service.workers = workers;
    life.service.cpu = cpu;
    life.machine.cores = f64::from(workers);
    life.clients.rate = Rate::constant(utilisation * f64::from(workers) / cpu.mean());
    life.clients.patience = Distribution::Fixed(1e6);
    life
}

#[track_caller]
fn assert_close(actual: f64, expected: f64, relative: f64) {
    let error = (actual / expected - 1.0).abs();
    assert!(error <= relative, "{actual} is not {expected}: {error}");
}

#[allow(clippy::cast_precision_loss)]
fn mean(sum: f64, count: u64) -> f64 {
    sum / count as f64
}

#[allow(clippy::cast_precision_loss)]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
