//! Episode of one simulated life, with the losses that no decider could avoid.

use std::sync::OnceLock;

use super::simulation::{Simulated, simulate};
use super::spec::{Cure, Effect, Fault, Life};
use super::{Decider, Episode, EpisodeOutcome};
use healing_core::decision::Action;
use healing_core::observation::{Now, Observation};

/// Time from a fault's onset until a decider can know it, in seconds. It is that of two polls.
const DETECTION: f64 = 10.0;
/// Memory or descriptors at which a leaking app is best restarted, in percent of the limit.
const LEAK_LIMIT: f64 = 90.0;

/// Episode of one life.
#[derive(Debug)]
pub struct LifeEpisode {
    life: Life,
    /// Failed requests without a treatment, and the time of a metastable failure.
    untreated: OnceLock<(u64, Option<f64>)>,
    /// Failed requests under the best of the fixed plans of treatment.
    unavoidable: OnceLock<u64>,
}

/// Decider that follows a plan.
struct Plan {
    /// Times in seconds and actions, in ascending order.
    steps: Vec<(f64, Action)>,
    /// Index of the next step.
    next: usize,
}

// === impl LifeEpisode ===

impl LifeEpisode {
    /// Returns the episode of a life.
    #[must_use]
    pub fn new(life: Life) -> Self {
        Self {
            life,
            untreated: OnceLock::new(),
            unavoidable: OnceLock::new(),
        }
    }

    /// Returns the life.
    #[must_use]
    pub fn life(&self) -> &Life {
        &self.life
    }

    /// Returns the requests that fail under the best fixed plan: no treatment, or the right one
    /// as soon as the fault or a metastable failure can be known.
    fn unavoidable(&self) -> u64 {
        *self.unavoidable.get_or_init(|| {
            let (untreated, collapsed_at) = *self.untreated.get_or_init(|| {
                let simulated = self.simulate(Vec::new());
                (simulated.outcome.failed, simulated.collapsed_at)
            });
            let faults = plan(&self.life, None);
            let all = plan(&self.life, collapsed_at);
            let mut best = untreated;
            if !faults.is_empty() && untreated > 0 {
                best = best.min(self.simulate(faults.clone()).outcome.failed);
            }
            if all != faults {
                best = best.min(self.simulate(all).outcome.failed);
            }
            best
        })
    }

    /// Returns `true` if a restart out of a metastable failure saves a tenth of the losses.
    fn is_collapse_treatable(&self) -> bool {
        let untreated = self.untreated.get().map_or(0, |(failed, _)| *failed);
        self.unavoidable() < untreated - untreated / 10
    }

    fn simulate(&self, steps: Vec<(f64, Action)>) -> Simulated {
        simulate(&self.life, &mut Plan { steps, next: 0 })
    }
}

impl Episode for LifeEpisode {
    fn run(&self, decider: &mut dyn Decider) -> EpisodeOutcome {
        let simulated = simulate(&self.life, decider);
        let mut outcome = simulated.outcome;
        if outcome.treatments.is_empty() {
            self.untreated
                .get_or_init(|| (outcome.failed, simulated.collapsed_at));
        }
        outcome.unavoidable = self.unavoidable();
        if !outcome.treatable && self.is_collapse_treatable() {
            outcome.treatable = true;
            let collapsed_at = self.untreated.get().and_then(|(_, at)| *at);
            outcome.recovery =
                collapsed_at.and_then(|onset| simulated.results.recovery(onset, self.life.seconds));
        }
        outcome
    }
}

/// Returns the plan that treats each fault, and a metastable failure, as soon as it can be known.
fn plan(life: &Life, collapsed_at: Option<f64>) -> Vec<(f64, Action)> {
    let faults = life.faults.iter().flat_map(|fault| steps(fault, life));
    let restart = collapsed_at.map(|at| (at, Action::RestartService));
    let mut steps: Vec<_> = faults.chain(restart).collect();
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    steps
}

fn steps(fault: &Fault, life: &Life) -> Vec<(f64, Action)> {
    let action = match fault.cure {
        Cure::Nothing => return Vec::new(),
        Cure::SoftHeal => Action::ResetErrors,
        Cure::Restart => Action::RestartService,
    };
    let memory = &life.memory;
    let (rate, usage) = match fault.effect {
        Effect::MemoryLeak(rate) => (rate, memory.base + memory.cache + memory.saw),
        Effect::DescriptorLeak(rate) => (rate, memory.descriptors),
        _ => return vec![(fault.onset + DETECTION, action)],
    };
    let period = ((LEAK_LIMIT - usage) / rate).max(DETECTION);
    let periods = (1..=20).map(|count| fault.onset + f64::from(count) * period);
    periods
        .take_while(|at| *at < life.seconds)
        .map(|at| (at, action))
        .collect()
}

// === impl Plan ===

impl Decider for Plan {
    fn poll(&mut self, now: Now, _: &Observation) -> Action {
        match self.steps.get(self.next) {
            Some((at, action)) if *at <= now.monotonic.as_secs_f64() => {
                self.next += 1;
                *action
            }
            _ => Action::NoAction,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::spec::{Distribution, Rate};

    struct Nothing;

    impl Decider for Nothing {
        fn poll(&mut self, _: Now, _: &Observation) -> Action {
            Action::NoAction
        }
    }

    fn unavoidable(fault: Option<Fault>) -> EpisodeOutcome {
        let mut life = Life::new(1);
        life.clients.rate = Rate::constant(10.0);
        life.faults = fault.into_iter().collect();
        LifeEpisode::new(life).run(&mut Nothing)
    }

    #[test]
    fn episode_without_a_fault_has_no_unavoidable_failures() {
        let outcome = unavoidable(None);
        assert_eq!((outcome.failed, outcome.unavoidable), (0, 0));
        assert!(!outcome.treatable);
    }

    #[test]
    fn losses_until_the_right_treatment_are_unavoidable() {
        for cure in [Cure::SoftHeal, Cure::Restart] {
            let outcome = unavoidable(Some(Fault::new(Effect::Errors(1.0), cure, 600.0)));
            assert!(
                outcome.failed * 10 > outcome.requests * 8,
                "{}",
                outcome.failed
            );
            assert!(
                (90..250).contains(&outcome.unavoidable),
                "{}",
                outcome.unavoidable
            );
        }
    }

    #[test]
    fn all_losses_of_a_fault_without_a_cure_are_unavoidable() {
        let fault = Fault::new(Effect::Errors(0.5), Cure::Nothing, 600.0);
        let outcome = unavoidable(Some(fault));
        assert!(outcome.failed > 10_000 && outcome.unavoidable == outcome.failed);
    }

    #[test]
    fn leak_is_best_restarted_before_its_limit() {
        let fault = Fault::new(Effect::MemoryLeak(0.1), Cure::Restart, 0.0);
        let outcome = unavoidable(Some(fault));
        assert!(outcome.unavoidable <= outcome.failed && outcome.failed > 0);
    }

    #[test]
    fn restart_out_of_a_metastable_failure_is_the_best_plan() {
        let mut life = Life::new(1);
        life.service.cpu = Distribution::Fixed(0.02);
        life.clients.patience = Distribution::Fixed(2.0);
        life.clients.rate = Rate::of(3600.0, |_| 40.0).times(600.0, 700.0, 3.0);
        life.clients.retries = 0.9;
        let episode = LifeEpisode::new(life);
        let outcome = episode.run(&mut Nothing);
        assert!(outcome.treatable && outcome.unavoidable * 4 < outcome.failed);
        let restart = vec![(800.0, Action::RestartService)];
        let restarted = episode.run(&mut Plan {
            steps: restart,
            next: 0,
        });
        assert!(restarted.treatments[0].helped && restarted.recovery.is_some());
        assert_eq!(outcome.recovery, None);
        assert_eq!(restarted.unavoidable, outcome.unavoidable);
    }
}
