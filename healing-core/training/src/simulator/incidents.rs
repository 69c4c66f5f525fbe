//! Simulated incidents as a population of episodes in closed loop.
//!
//! A seed selects a [`Scenario`] and a service, and lasts until one hour after the onset of its fault. The
//! episode is polled as in training: every 5 s, some polls late. Treatments act back on the app.
//!
//! `unavoidable` is the least number of failures of the incident left alone, soft-healed or restarted at its
//! onset, or treated by an oracle that sees the faults. The recovery is that of [`RecoveryWatch`].
//!
//! # Hazards
//!
//! - The default model was trained on incidents of these scenarios (of other seeds), so `forest` is judged
//!   here in kind.

use std::time::Duration;

use super::app::{ClientOutcomes, round};
use super::incident::Incident;
use super::recovery::RecoveryWatch;
use super::scenario::Scenario;
use crate::episode::{Carried, Decider, Episode, EpisodeOutcome, Population};
use healing_core::decision::{Action, TreatmentReport, TreatmentResult};
use healing_core::rng::Rng;

/// Seconds from the onset to the end of an episode.
const AFTER_ONSET: u32 = 3600;
/// Seconds between two polls.
const PERIOD: u32 = 5;
/// Least gain of a treatment, as a share of the requests, that makes a fault treatable.
const LEAST_GAIN: f64 = 0.01;

/// Population of the incidents of all scenarios.
#[derive(Debug, Clone, Copy, Default)]
pub struct Incidents;

impl Population for Incidents {
    fn name(&self) -> &'static str {
        "incidents"
    }

    fn draw(&self, seed: u64) -> Box<dyn Episode> {
        let mut rng = Rng::new(seed);
        let scenario = Scenario::ALL[rng.index(Scenario::ALL.len())];
        Box::new(IncidentEpisode::new(
            Incident::draw(scenario, &mut rng),
            rng,
        ))
    }
}

/// One incident, before it is simulated.
#[derive(Debug)]
struct IncidentEpisode {
    incident: Incident,
    /// Source of the polls' random numbers.
    polls: Rng,
    unavoidable: f64,
    treatable: bool,
}

impl IncidentEpisode {
    fn new(incident: Incident, polls: Rng) -> Self {
        let mut at_onset = incident.clone();
        at_onset.app.records_latency = false;
        while at_onset.second() < at_onset.onset() {
            at_onset.step();
        }
        let before = at_onset.app.clients.failed;
        let [none, soft, hard] =
            Action::ALL.map(|action| at_onset.outcomes_after(action, AFTER_ONSET));
        let oracle = oracle(at_onset).failed - before;
        let least = none.failed.min(soft.failed).min(hard.failed).min(oracle);
        Self {
            incident,
            polls,
            unavoidable: before + least,
            treatable: none.failed - least > LEAST_GAIN * none.requests,
        }
    }
}

/// Returns the outcomes of an incident, from its onset on, that is treated as soon as a fault can be ended,
/// or a leak is near its limit.
fn oracle(mut incident: Incident) -> ClientOutcomes {
    for _ in 0..AFTER_ONSET {
        incident.step();
        let app = &mut incident.app;
        if app.down.is_some() {
            continue;
        }
        let faults = &app.faults;
        let runs_out = faults.leaked_memory > 0.0 && app.memory >= 90.0
            || faults.leaked_fds > 0.0 && app.fds >= 85.0;
        if runs_out || faults.need_restart() {
            app.treat(Action::RestartService);
        } else if faults.are_ended_by(Action::ResetErrors) {
            app.treat(Action::ResetErrors);
        }
    }
    incident.app.clients
}

impl Episode for IncidentEpisode {
    fn run(&self, decider: &mut dyn Decider) -> EpisodeOutcome {
        let mut incident = self.incident.clone();
        let mut outcome = EpisodeOutcome {
            treatable: self.treatable,
            unavoidable: round(self.unavoidable),
            ..EpisodeOutcome::default()
        };
        let mut recovery = RecoveryWatch::new(incident.onset(), incident.app.params.errors);
        let end = incident.onset() + AFTER_ONSET;
        let mut next_poll = 1;
        let mut is_treatment = false;
        while incident.second() < end {
            incident.step();
            if incident.app.down.is_none() {
                is_treatment = false;
            } else if is_treatment {
                outcome.capacity_lost += Duration::from_secs(1);
            }
            let second = incident.second();
            recovery.observe(second, incident.app.clients);
            if second < next_poll {
                continue;
            }
            // Each poll has its own generator: its noise does not depend on earlier decisions.
            let mut rng = self.polls.part(second.into());
            let late = if rng.unit() < 0.03 {
                1 + rng.below(12)
            } else {
                0
            };
            next_poll = second + PERIOD + late;
            let now = incident.now();
            let action = decider.poll(now, &incident.poll(&mut rng));
            if action == Action::NoAction {
                continue;
            }
            let app = &mut incident.app;
            let runs_hooks = !app.faults.stalled && app.down.is_none();
            let helped = match action {
                Action::ResetErrors => runs_hooks && app.faults.are_ended_by(action),
                _ => app.faults.are_ended_by(action),
            };
            app.treat(action);
            if action == Action::RestartService {
                is_treatment = true;
                // A cold instance has about half its capacity while it warms up.
                outcome.capacity_lost += Duration::from_secs_f64(0.5 * app.params.warm_up);
            }
            outcome.treatments.push(Carried {
                at: Duration::from_secs(second.into()),
                action,
                helped,
            });
            let result = match action {
                Action::RestartService => TreatmentResult::Started,
                _ if runs_hooks => TreatmentResult::Done,
                _ => TreatmentResult::Failed,
            };
            decider.report(now, TreatmentReport { action, result });
        }
        let ClientOutcomes {
            requests, failed, ..
        } = incident.app.clients;
        outcome.duration = Duration::from_secs(end.into());
        outcome.requests = round(requests);
        outcome.failed = round(failed);
        outcome.recovery = recovery.recovered_after;
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::deciders::DeciderName;

    fn outcome(scenario: Scenario, seed: u64, decider: DeciderName) -> EpisodeOutcome {
        let mut rng = Rng::new(seed);
        let incident = Incident::draw(scenario, &mut rng);
        IncidentEpisode::new(incident, rng).run(&mut *decider.build(seed))
    }

    #[test]
    fn outcome_depends_on_seed_and_decider_alone() {
        let run = |seed, decider: DeciderName| Incidents.draw(seed).run(&mut *decider.build(1));
        let first = run(5, DeciderName::Rules);
        assert_eq!(first, run(5, DeciderName::Rules));
        assert_ne!(first, run(6, DeciderName::Rules));
    }

    #[test]
    fn restart_ends_a_stall() {
        let untreated = outcome(Scenario::Stall, 3, DeciderName::Nothing);
        assert!(untreated.treatable);
        assert_eq!(untreated.recovery, None);
        let treated = outcome(Scenario::Stall, 3, DeciderName::Rules);
        assert!(treated.failed < untreated.failed / 10, "{treated:?}");
        assert!(treated.recovery.unwrap() < Duration::from_secs(60));
        assert!(treated.treatments[0].helped);
        assert!(treated.capacity_lost > Duration::from_secs(2));
    }

    #[test]
    fn untreated_life_without_fault_is_all_unavoidable() {
        let healthy = outcome(Scenario::Healthy, 4, DeciderName::Nothing);
        assert!(!healthy.treatable && healthy.treatments.is_empty());
        assert_eq!(healthy.recovery, None);
        assert!(healthy.failed.abs_diff(healthy.unavoidable) < healthy.requests / 1000);
    }
}
