//! Incident as an episode: a decider polls the simulated app, and its treatments act on it.

use std::time::Duration;

use super::results::Results;
use super::{Carried, Decider, Episode, EpisodeOutcome};
use crate::simulator::Scenario;
use crate::simulator::counts::ClientOutcomes;
use crate::simulator::faults::Faults;
use crate::simulator::incident::Incident;
use healing_core::decision::{Action, TreatmentReport, TreatmentResult};
use healing_core::rng::Rng;

/// Length of an episode in seconds: the latest onset, the longest fault, and half an hour after it.
const SECONDS: u32 = 3600;
/// Time from the onset until a decider can know the fault, in seconds: two polls.
const DETECTION: u32 = 10;
/// Memory or descriptors at which a leaking app is best restarted, in percent of the limit.
const LEAK_LIMIT: f64 = 90.0;

/// One incident of a scenario in closed loop.
#[derive(Debug, Clone, Copy)]
pub struct IncidentEpisode {
    scenario: Scenario,
    seed: u64,
}

/// Choice of the action of one second.
type Choose<'a> = dyn FnMut(&mut Incident, &mut Rng) -> Action + 'a;

// === impl IncidentEpisode ===

impl IncidentEpisode {
    /// Returns the incident of this seed.
    #[must_use]
    pub fn new(scenario: Scenario, seed: u64) -> Self {
        Self { scenario, seed }
    }

    fn draw(&self) -> (Incident, Rng) {
        let mut rng = Rng::new(self.seed);
        let incident = Incident::draw(self.scenario, &mut rng);
        (incident, rng.part(2))
    }

    /// Runs the incident under a choice of the treatment, second by second.
    fn simulate(&self, choose: &mut Choose<'_>) -> EpisodeOutcome {
        let (mut incident, mut rng) = self.draw();
        let mut results = Results::default();
        let mut outcome = EpisodeOutcome::default();
        let (mut before, mut treated_down) = (ClientOutcomes::default(), false);
        while incident.second() < SECONDS {
            incident.step();
            let clients = incident.app.clients;
            let (calls, failed) = (
                clients.requests - before.requests,
                clients.failed - before.failed,
            );
            before = clients;
            let second = f64::from(incident.second());
            results.add(second, calls, failed.min(calls));
            treated_down &= incident.app.down.is_some();
            outcome.capacity_lost += Duration::from_secs(u64::from(treated_down));
            let action = choose(&mut incident, &mut rng);
            if action == Action::NoAction {
                continue;
            }
            outcome.treatments.push(Carried {
                at: Duration::from_secs_f64(second),
                action,
                helped: reduces(&incident.app.faults, action),
            });
            incident.app.treat(action);
            treated_down |= incident.app.down.is_some();
        }
        outcome.duration = Duration::from_secs(SECONDS.into());
        outcome.requests = results.calls();
        outcome.failed = results.failed();
        outcome.treatable = is_treatable(incident.faults());
        let has_fault = *incident.faults() != Faults::default();
        let onset = f64::from(incident.onset());
        outcome.recovery = results
            .recovery(onset, SECONDS.into())
            .filter(|_| has_fault);
        outcome
    }

    /// Returns the requests that fail under the best fixed plan.
    fn unavoidable(&self) -> u64 {
        let plans = [
            Action::NoAction,
            Action::ResetErrors,
            Action::RestartService,
        ];
        let failed = plans.map(|action| {
            let once = |incident: &mut Incident, _: &mut Rng| {
                let faults = incident.faults();
                let leaks = faults.memory_leak > 0.0 || faults.fd_leak > 0.0;
                let full = incident.app.memory.max(incident.app.fds) >= LEAK_LIMIT;
                let known = incident.second() == incident.onset() + DETECTION;
                let due = if leaks {
                    full && incident.app.down.is_none()
                } else {
                    known
                };
                if due { action } else { Action::NoAction }
            };
            let mut once = once;
            self.simulate(&mut once).failed
        });
        failed.into_iter().min().unwrap_or(0)
    }
}

impl Episode for IncidentEpisode {
    fn run(&self, decider: &mut dyn Decider) -> EpisodeOutcome {
        let mut next_poll = 1;
        let mut outcome = self.simulate(&mut |incident, rng| {
            let second = incident.second();
            if second < next_poll {
                return Action::NoAction;
            }
            // Every 5 s; a few polls are late. Their number does not depend on the decider.
            let mut poll = rng.part(second.into());
            let late = if poll.unit() < 0.03 {
                1 + poll.below(12)
            } else {
                0
            };
            next_poll = second + 5 + late;
            let now = incident.now();
            let action = decider.poll(now, &incident.poll(&mut poll));
            let result = match action {
                Action::NoAction => return Action::NoAction,
                _ if incident.app.down.is_some() => TreatmentResult::Aborted,
                Action::ResetErrors if incident.app.faults.stalled => TreatmentResult::Aborted,
                Action::ResetErrors => TreatmentResult::Done,
                Action::RestartService => TreatmentResult::Started,
            };
            decider.report(now, TreatmentReport { action, result });
            if result == TreatmentResult::Aborted {
                Action::NoAction
            } else {
                action
            }
        });
        outcome.unavoidable = self.unavoidable();
        outcome
    }
}

/// Reports if a treatment reduces a fault that is active.
fn reduces(faults: &Faults, action: Action) -> bool {
    let mut treated = faults.clone();
    match action {
        Action::NoAction => {}
        Action::ResetErrors => treated.clear_by_soft_heal(),
        Action::RestartService => treated.clear_by_restart(),
    }
    treated != *faults
}

fn is_treatable(faults: &Faults) -> bool {
    let leaks = faults.memory_leak > 0.0 || faults.fd_leak > 0.0;
    leaks || reduces(faults, Action::RestartService)
}

#[cfg(test)]
mod tests {
    use super::*;
    use healing_core::observation::{Now, Observation};

    /// Decider that takes one action after ten minutes.
    struct Once(Action);

    impl Decider for Once {
        fn poll(&mut self, now: Now, _: &Observation) -> Action {
            if now.monotonic < Duration::from_secs(900) {
                return Action::NoAction;
            }
            std::mem::take(&mut self.0)
        }
    }

    fn run(scenario: Scenario, action: Action) -> EpisodeOutcome {
        IncidentEpisode::new(scenario, 3).run(&mut Once(action))
    }

    #[test]
    fn treatments_act_back_on_the_incident() {
        for (scenario, action) in [
            (Scenario::PoisonedCache, Action::ResetErrors),
            (Scenario::Stall, Action::RestartService),
        ] {
            let [none, treated] = [Action::NoAction, action].map(|action| run(scenario, action));
            assert!(treated.treatments[0].helped && treated.treatable);
            assert!(
                treated.failed * 2 < none.failed,
                "{} {}",
                treated.failed,
                none.failed
            );
            assert!(treated.unavoidable < treated.failed && none.recovery.is_none());
            assert_eq!(none.unavoidable, treated.unavoidable);
        }
    }

    #[test]
    fn restart_of_a_healthy_app_costs_capacity() {
        let outcome = run(Scenario::Healthy, Action::RestartService);
        assert!(!outcome.treatments[0].helped && !outcome.treatable);
        assert!(outcome.capacity_lost >= Duration::from_secs(1));
        assert_eq!(outcome.recovery, None);
        assert_eq!(outcome, run(Scenario::Healthy, Action::RestartService));
    }
}
