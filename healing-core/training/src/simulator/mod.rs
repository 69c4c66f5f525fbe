//! Simulated incidents: examples labelled with the treatment that helped in the simulation.
//!
//! A seed draws services (each with its own load, capacity, memory and clients) and runs each through a
//! [`Scenario`]. A doctor polls it every 5 s, with some polls late or missed, and the features are
//! those of [`Policy::step`], as in production. At a few moments the incident is
//! copied three times, and each copy runs for another five minutes: untreated, after a soft heal, and
//! after a restart. The share of requests that clients lose is the [loss](Example::loss) of each action.
//! The label is the mildest action that no stronger action outperforms by more than its minimum gain. There
//! are no rules such as "restart against a leak", because the labels follow from the outcomes. For example,
//! a slow leak, whose limit is beyond the horizon, is labelled no action.
//!
//! # Hazards
//!
//! - A model learns the correlations of [the simulated app](self), not the frequencies of a real fleet.
//!   Prefer recorded outcomes as soon as there are enough.

mod app;
pub(crate) mod counts;
pub(crate) mod faults;
pub(crate) mod incident;
mod label;
mod scenario;
mod service_params;

pub use scenario::Scenario;

use super::dataset::{Dataset, RowError};
use healing_core::config::PolicyConfig;
use healing_core::decision::{Action, Lane, TreatmentReport, TreatmentResult};
use healing_core::features::{Feature, Features};
use healing_core::policy::Policy;
use healing_core::policy::Proposer;
use healing_core::rng::Rng;
use incident::Incident;

/// Time over which the outcome of an action is measured, in seconds.
pub const HORIZON: u32 = 300;
/// Time from the onset of a fault to the first example, in seconds.
const ONSET_TO_EXAMPLE: u32 = 30;

/// Features of one service at one moment, with the outcome of each action.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Scenario of its incident.
    pub scenario: Scenario,
    /// Number of its incident. A split keeps all examples of an incident on one side.
    pub incident: u32,
    /// Set if the faults had started.
    pub is_after_onset: bool,
    /// Features that the policy computed from the polls.
    pub features: Features,
    /// Lane of the last poll.
    pub lane: Lane,
    /// Action that the compiled-in rules take on their evidence, unless a veto other than a delay
    /// (cooldown, splay, waiting for low load) forbids it.
    pub rules: Action,
    /// Share of the requests of the next five minutes that clients lose, by action.
    pub loss: [f64; 3],
    /// Mildest action that helps.
    pub label: Action,
}

/// Runs `incidents` incidents of each scenario, in shuffled order, and returns their examples.
#[must_use]
pub fn simulate(scenarios: &[Scenario], incidents: u32, seed: u64) -> Vec<Example> {
    let mut order: Vec<(Scenario, u32)> = scenarios
        .iter()
        .flat_map(|scenario| (0..incidents).map(|index| (*scenario, index)))
        .collect();
    Rng::new(seed).part(2).shuffle(&mut order);
    let mut examples = Vec::new();
    for (number, (scenario, index)) in (0..).zip(order) {
        // An incident depends only on its scenario, its index and the seed.
        let part = 1000 + u64::from(index) * 64 + scenario as u64;
        let mut rng = Rng::new(seed).part(part);
        run_incident(scenario, number, &mut rng, &mut examples);
    }
    examples
}

/// Runs one incident and takes a few examples of it.
fn run_incident(scenario: Scenario, number: u32, rng: &mut Rng, examples: &mut Vec<Example>) {
    let mut incident = Incident::draw(scenario, rng);
    let mut policy = Policy::new(PolicyConfig::default(), Proposer::Rules, rng.bits());
    let onset = incident.onset();
    let mut moments: Vec<u32> = (0..3)
        .map(|_| onset + ONSET_TO_EXAMPLE + rng.below(HORIZON))
        .collect();
    if onset > 100 && rng.unit() < 0.3 {
        moments.push(onset - 1 - rng.below(60));
    }
    moments.sort_unstable();
    // A quarter of the incidents have had a soft heal, as by the policy.
    let mut treat_at = (rng.unit() < 0.25).then(|| onset + 15 + rng.below(60));
    let mut next_poll = 1;
    let Some(&last) = moments.last() else { return };
    let mut moments = moments.into_iter().peekable();
    while incident.second() < last + 60 {
        incident.step();
        let second = incident.second();
        if treat_at.is_some_and(|at| at <= second) && incident.app.down.is_none() {
            treat_at = None;
            incident.app.treat(Action::ResetErrors);
            let report = TreatmentReport {
                action: Action::ResetErrors,
                result: TreatmentResult::Done,
            };
            policy.report_treatment(incident.now(), report);
        }
        if second < next_poll {
            continue;
        }
        // Every 5 s; a few polls are missed or late.
        next_poll = second
            + 5
            + if rng.unit() < 0.03 {
                1 + rng.below(12)
            } else {
                0
            };
        let decision = policy.step(incident.now(), &incident.poll(rng));
        let Some(&moment) = moments.peek() else { break };
        // A poll without features gives no example; the next one may.
        if moment > second || matches!(decision.lane, Lane::Refused | Lane::Invalid | Lane::Late) {
            continue;
        }
        moments.next();
        let loss = label::losses(&incident);
        examples.push(Example {
            scenario,
            incident: number,
            is_after_onset: second >= onset,
            features: decision.features,
            lane: decision.lane,
            rules: label::eventual_action(&decision),
            loss,
            label: label::mildest_sufficient(loss),
        });
    }
}

/// Returns the examples' rows over these features. Examples in which a feature is absent are omitted, because
/// the rules decide in that case. Groups are incidents, named by their scenario.
///
/// # Errors
///
/// None in practice, because features are finite.
pub fn dataset<'a>(
    examples: impl IntoIterator<Item = &'a Example>,
    features: &[Feature],
) -> Result<Dataset, RowError> {
    let mut data = Dataset::new(features.iter().map(|feature| feature.name()));
    for example in examples {
        let row: Option<Vec<f32>> = features.iter().map(|&f| example.features.get(f)).collect();
        if let Some(row) = row {
            let group = format!("{}-{}", example.scenario.name(), example.incident);
            data.push(&row, example.label, &group)?;
        }
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the share of each label among a scenario's untreated examples after the onset.
    fn label_shares(scenario: Scenario, all: &[Example]) -> [f64; 3] {
        let untreated = |example: &&Example| {
            let since = example.features.get(Feature::SinceLastHeal);
            example.scenario == scenario
                && example.is_after_onset
                && since.is_none_or(|since| since > 80_000.0)
        };
        let examples: Vec<&Example> = all.iter().filter(untreated).collect();
        Action::ALL.map(|action| {
            let count = examples.iter().filter(|e| e.label == action).count();
            count as f64 / examples.len() as f64
        })
    }

    #[test]
    fn labels_follow_from_outcomes_of_each_scenario() {
        use Scenario::*;
        let all = simulate(&Scenario::ALL, 8, 77);
        let assert_share = |scenarios: &[Scenario], action: Action, least: f64| {
            for scenario in scenarios {
                let shares = label_shares(*scenario, &all);
                assert!(
                    shares[action as usize] >= least,
                    "{}: {shares:?}",
                    scenario.name()
                );
            }
        };
        let no_action = [
            Healthy,
            Noisy,
            DeployWarmUp,
            NightlyBatch,
            TrafficSpike,
            DependencyOutage,
            SlowDependency,
            BadRollout,
            CacheFill,
            SlowLeak,
        ];
        assert_share(&no_action, Action::NoAction, 0.8);
        assert_share(
            &[PoisonedCache, PoolExhaustion, DeadConnections, JammedQueue],
            Action::ResetErrors,
            0.6,
        );
        assert_share(
            &[Stall, BlockedWorkers, CpuSpin, BrokenLock],
            Action::RestartService,
            0.5,
        );
        assert_share(&[FastLeak, DescriptorLeak], Action::RestartService, 0.1);
        assert!(
            all.iter()
                .filter(|example| !example.is_after_onset)
                .all(|example| example.label == Action::NoAction)
        );
    }

    #[test]
    fn incident_depends_on_seed_and_not_on_other_scenarios() {
        let all = simulate(&[Scenario::Stall, Scenario::Healthy], 3, 9);
        assert_eq!(all, simulate(&[Scenario::Stall, Scenario::Healthy], 3, 9));
        assert_ne!(all, simulate(&[Scenario::Stall, Scenario::Healthy], 3, 10));
        let stall_losses = |examples: &[Example]| {
            let mut losses: Vec<_> = examples
                .iter()
                .filter(|example| example.scenario == Scenario::Stall)
                .map(|example| example.loss)
                .collect();
            losses.sort_by(|a, b| a[2].total_cmp(&b[2]));
            losses
        };
        assert_eq!(
            stall_losses(&all),
            stall_losses(&simulate(&[Scenario::Stall], 3, 9))
        );
    }
}
