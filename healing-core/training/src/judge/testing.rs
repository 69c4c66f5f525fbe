//! Fake episodes for tests: an app with 20 requests per second and one fault, which begins at second 60.

pub(super) mod stream;

use std::time::Duration;

use super::deciders::DeciderName;
use crate::episode::{Carried, Decider, Episode, EpisodeOutcome, Population};
use healing_core::decision::{Action, TreatmentReport, TreatmentResult};
use healing_core::health::{Health, Runtime, Totals};
use healing_core::observation::{Circumstances, Mode, Now, Observation, ProbeResult};

/// Duration of a good answer.
pub(super) const QUICK: Duration = Duration::from_millis(2);
/// Second at which the fault begins.
const ONSET: u64 = 60;
/// Seconds between two polls.
const PERIOD: u64 = 5;
/// Requests per second.
const RATE: u64 = 20;

/// Fault of a fake app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// None.
    None,
    /// None; a high CPU usage harms nobody.
    Busy,
    /// No request completes until a restart.
    Hung,
    /// Four of ten requests fail until a soft heal.
    Poisoned,
    /// Four of ten requests fail until a restart.
    Broken,
}

/// Fake life of one app.
#[derive(Debug, Clone, Copy)]
pub(super) struct FakeEpisode {
    pub(super) fault: Fault,
    pub(super) seconds: u64,
}

/// Returns the observation of a healthy app.
pub(super) fn observation(instance: &str) -> Observation {
    let health = Health {
        instance_id: Some(instance.to_owned()),
        uptime: 3600.0,
        started: Some(true),
        cpu_usage: Some(20.0),
        memory_usage: Some(30.0),
        hour_of_day: Some(12),
        runtime: Some(Runtime::default()),
        ..Health::default()
    };
    Observation {
        sockets: None,
        care: ProbeResult::Valid(health, QUICK),
        front_door: ProbeResult::Valid((), QUICK),
        circumstances: Circumstances {
            mode: Mode::Enforce,
            ..Circumstances::default()
        },
    }
}

impl Episode for FakeEpisode {
    fn run(&self, decider: &mut dyn Decider) -> EpisodeOutcome {
        let mut outcome = EpisodeOutcome {
            duration: Duration::from_secs(self.seconds),
            treatable: !matches!(self.fault, Fault::None | Fault::Busy),
            ..EpisodeOutcome::default()
        };
        let (mut instance, mut started, mut down_until) = (0, 0, 0);
        let (mut requests, mut errors) = (0, 0);
        let mut fault = Fault::None;
        for second in (0..self.seconds / PERIOD).map(|poll| PERIOD * poll) {
            if second == ONSET {
                fault = self.fault;
            }
            let is_down = second < down_until;
            let arrived = PERIOD * RATE;
            let failed = match fault {
                _ if is_down => arrived,
                Fault::Hung => arrived,
                Fault::Poisoned | Fault::Broken => arrived * 4 / 10,
                Fault::None | Fault::Busy => 0,
            };
            outcome.requests += arrived;
            outcome.failed += failed;
            let time = Duration::from_secs(second);
            let now = Now {
                monotonic: time,
                wall: Duration::from_secs(43_200) + time,
            };
            let mut observation = observation(&format!("{instance}"));
            if is_down {
                observation.care = ProbeResult::Refused;
                observation.front_door = ProbeResult::Refused;
            } else if let ProbeResult::Valid(health, _) = &mut observation.care {
                let hung = fault == Fault::Hung;
                if !hung {
                    requests += arrived;
                    errors += failed;
                }
                health.uptime =
                    (second - started) as f64 + if instance == 0 { 3600.0 } else { 0.0 };
                health.error_count = errors;
                health.totals = Totals {
                    requests_total: Some(requests),
                    errors_total: Some(errors),
                    panics_total: Some(0),
                    ..Totals::default()
                };
                if fault == Fault::Busy {
                    health.cpu_usage = Some(92.0);
                }
                if hung {
                    observation.front_door = ProbeResult::TimedOut;
                    health.runtime = Some(Runtime {
                        tick_age_seconds: (second - ONSET) as f64 + 3.0,
                        lag_seconds: (second - ONSET) as f64 + 3.0,
                        stalled: true,
                        stall_after_seconds: None,
                        workers: None,
                    });
                }
            }
            let action = decider.poll(now, &observation);
            let helped = match action {
                Action::NoAction => continue,
                Action::ResetErrors => fault == Fault::Poisoned,
                Action::RestartService => {
                    matches!(fault, Fault::Hung | Fault::Poisoned | Fault::Broken)
                }
            };
            outcome.treatments.push(Carried {
                at: time,
                action,
                helped,
            });
            let result = if action == Action::RestartService {
                (requests, errors) = (0, 0);
                instance += 1;
                down_until = second + PERIOD + 1;
                started = down_until;
                started += PERIOD - 1;
                outcome.capacity_lost += Duration::from_secs(PERIOD);
                TreatmentResult::Started
            } else {
                TreatmentResult::Done
            };
            decider.report(now, TreatmentReport { action, result });
            if helped {
                fault = Fault::None;
                outcome.recovery = Some(time - Duration::from_secs(ONSET));
            }
        }
        outcome
    }
}

/// Population of fake episodes: the seed selects the length, all have one fault.
pub(super) struct FakePopulation(pub(super) Fault);

impl Population for FakePopulation {
    fn name(&self) -> &'static str {
        match self.0 {
            Fault::None => "none",
            Fault::Busy => "busy",
            Fault::Hung => "hung",
            Fault::Poisoned => "poisoned",
            Fault::Broken => "broken",
        }
    }

    fn draw(&self, seed: u64) -> Box<dyn Episode> {
        Box::new(FakeEpisode {
            fault: self.0,
            seconds: 600 + seed % 600,
        })
    }
}

/// Returns the seconds and actions of a decider on a fake app.
pub(super) fn actions(decider: DeciderName, fault: Fault, seconds: u64) -> Vec<(u64, Action)> {
    let outcome = FakeEpisode { fault, seconds }.run(&mut *decider.build(7));
    let treatment = |carried: &Carried| (carried.at.as_secs(), carried.action);
    outcome.treatments.iter().map(treatment).collect()
}
