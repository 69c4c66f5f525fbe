//! Simulated situations: windows labelled by the treatment that helps, because it was tried.
//!
//! A seed draws services (each with its own load, capacity, memory, clients) and puts each through a
//! [`Situation`]. A doctor polls it every 5 s, some polls late or missed, and the features are those
//! of its own [`Policy::step`]: the very code that decides in production. At a few moments the world
//! is copied three times, and each copy lives on for five minutes: untreated, after a soft heal, after
//! a restart. What clients then see is the [damage](Window::damage) of each; the label is the mildest
//! treatment that nothing stronger beats by more than it is worth. So "restart helps against a leak"
//! is nowhere written down; it comes out (or not: a slow leak's limit is too far away to matter now).
//!
//! Hazard: it is a simulation. What a model learns here is what goes together in [the app's
//! model](self), not how often things happen in any real fleet; recorded outcomes are better data as
//! soon as there are enough.

mod app;
mod faults;
mod incident;
mod scenario;
mod service_params;

pub use scenario::Situation;

use super::dataset::{Dataset, RowError};
use healing_core::brain::Proposer;
use healing_core::config::PolicyConfig;
use healing_core::decision::{Action, Decision, Lane, Reason, Treatment, TreatmentResult};
use healing_core::features::{Feature, Features};
use healing_core::policy::Policy;
use healing_core::rng::Rng;
use incident::Incident;

/// Seconds that a treatment is given to show what it is worth: as many as a window has.
pub const HORIZON: u32 = 300;
/// Seconds from a fault's begin to the first look at it.
const ONSET_TO_LOOK: u32 = 30;
/// Requests that a soft heal must save to be worth it, as a share of all in the horizon …
const SOFT_GAIN: f64 = 0.01;
/// … and a restart.
const HARD_GAIN: f64 = 0.02;
/// What a late answer counts, against a failed one.
const SLOW: f64 = 0.2;

/// Five minutes of a service as a doctor sees them at their end, and what would help.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// What kind of incident it belongs to.
    pub situation: Situation,
    /// Which incident: all its windows go to one side of a split.
    pub incident: u32,
    /// Whether the fault had begun.
    pub begun: bool,
    /// What the policy made of the polls.
    pub features: Features,
    /// Which lane the last poll took.
    pub lane: Lane,
    /// What the compiled-in rules do by their evidence, unless permission forbids it for a reason
    /// other than time (a cooldown, a second look, the wait for a quiet moment).
    pub rules: Action,
    /// Share of the next five minutes' requests that are lost, by action.
    pub damage: [f64; 3],
    /// The treatment that helps.
    pub label: Action,
}

/// Draws `incidents` of each situation, in a mixed order.
#[must_use]
pub fn windows(situations: &[Situation], incidents: u32, seed: u64) -> Vec<Window> {
    let mut order: Vec<(Situation, u32)> = situations
        .iter()
        .flat_map(|situation| (0..incidents).map(|index| (*situation, index)))
        .collect();
    Rng::new(seed).part(2).shuffle(&mut order);
    let mut windows = Vec::new();
    for (number, (situation, index)) in (0..).zip(order) {
        // An incident depends on its kind, its index and the seed alone.
        let part = 1000 + u64::from(index) * 64 + situation as u64;
        let mut rng = Rng::new(seed).part(part);
        watch(situation, number, &mut rng, &mut windows);
    }
    windows
}

/// Runs one incident and looks at it a few times.
fn watch(situation: Situation, number: u32, rng: &mut Rng, windows: &mut Vec<Window>) {
    let mut incident = Incident::draw(situation, rng);
    let mut policy = Policy::new(PolicyConfig::default(), Proposer::Rules, rng.bits());
    let onset = incident.onset();
    let mut looks: Vec<u32> = (0..3)
        .map(|_| onset + ONSET_TO_LOOK + rng.below(HORIZON))
        .collect();
    if onset > 100 && rng.unit() < 0.3 {
        looks.push(onset - 1 - rng.below(60));
    }
    looks.sort_unstable();
    // Some have been given a soft heal already, as the policy would have done.
    let treated = (rng.unit() < 0.25).then(|| onset + 15 + rng.below(60));
    let mut treat_at = treated;
    let mut next_poll = 1;
    let Some(&last) = looks.last() else { return };
    let mut looks = looks.into_iter().peekable();
    while incident.second() < last + 60 {
        incident.step();
        let second = incident.second();
        if treat_at.is_some_and(|at| at <= second) && incident.app.down.is_none() {
            treat_at = None;
            incident.app.treat(Action::ResetErrors);
            let report = Treatment {
                action: Action::ResetErrors,
                result: TreatmentResult::Done,
            };
            policy.report_treatment(incident.now(), report);
        }
        if second < next_poll {
            continue;
        }
        // Every 5 s; a few are missed, a few come late.
        next_poll = second
            + 5
            + if rng.unit() < 0.03 {
                1 + rng.below(12)
            } else {
                0
            };
        let decision = policy.step(incident.now(), &incident.poll(rng));
        let Some(&look) = looks.peek() else { break };
        // A poll that finds nobody is no window; the next may be.
        if look > second || matches!(decision.lane, Lane::Refused | Lane::Invalid) {
            continue;
        }
        looks.next();
        let damage = damage(&incident);
        windows.push(Window {
            situation,
            incident: number,
            begun: second >= onset,
            features: decision.features,
            lane: decision.lane,
            rules: permitted(&decision),
            damage,
            label: helps(damage),
        });
    }
}

/// What the rules do here sooner or later. The restart before a limit only waits for a quiet moment, or
/// until time runs out.
fn permitted(decision: &Decision) -> Action {
    if decision.evidence == Reason::AwaitingLowLoad {
        return Action::RestartService;
    }
    let passes = |reason| matches!(reason, Reason::Cooldown | Reason::Splay);
    if decision.vetoes.iter().all(passes) {
        decision.proposed
    } else {
        Action::NoAction
    }
}

/// What each action would cost the clients.
fn damage(incident: &Incident) -> [f64; 3] {
    Action::ALL.map(|action| {
        let clients = incident.after(action, HORIZON);
        (clients.failed + SLOW * clients.slow) / clients.asked.max(1.0)
    })
}

/// The mildest action that nothing stronger beats by more than it is worth.
fn helps([none, soft, hard]: [f64; 3]) -> Action {
    let mild = if soft + SOFT_GAIN < none {
        Action::ResetErrors
    } else {
        Action::NoAction
    };
    let best_mild = if mild == Action::ResetErrors {
        soft
    } else {
        none
    };
    if hard + HARD_GAIN < best_mild {
        Action::RestartService
    } else {
        mild
    }
}

/// Rows of these features; windows in which one of them is absent are left out, as a model leaves
/// them to the rules. Groups are incidents, named by their situation.
///
/// # Errors
/// None in practice: features are finite.
pub fn dataset<'a>(
    windows: impl IntoIterator<Item = &'a Window>,
    features: &[Feature],
) -> Result<Dataset, RowError> {
    let mut data = Dataset::new(features.iter().map(|feature| feature.name()));
    for window in windows {
        let row: Option<Vec<f32>> = features.iter().map(|&f| window.features.get(f)).collect();
        if let Some(row) = row {
            let group = format!("{}-{}", window.situation.name(), window.incident);
            data.push(&row, window.label, &group)?;
        }
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shares of the windows after the onset in which each action helps, of those not yet treated.
    fn shares(situation: Situation, all: &[Window]) -> [f64; 3] {
        let untreated = |w: &&Window| {
            let since = w.features.get(Feature::SinceLastHeal);
            w.situation == situation && w.begun && since.is_none_or(|s| s > 80_000.0)
        };
        let of: Vec<&Window> = all.iter().filter(untreated).collect();
        Action::ALL.map(|action| {
            let count = of.iter().filter(|w| w.label == action).count();
            count as f64 / of.len() as f64
        })
    }

    #[test]
    fn what_helps_comes_out_by_trying() {
        use Situation::*;
        let all = windows(&Situation::ALL, 8, 77);
        let least = |situations: &[Situation], action: Action, share: f64| {
            for situation in situations {
                let shares = shares(*situation, &all);
                assert!(
                    shares[action as usize] >= share,
                    "{}: {shares:?}",
                    situation.name()
                );
            }
        };
        let left_alone = [
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
        least(&left_alone, Action::NoAction, 0.8);
        least(
            &[PoisonedCache, PoolExhaustion, DeadConnections, JammedQueue],
            Action::ResetErrors,
            0.6,
        );
        least(
            &[Stall, BlockedWorkers, CpuSpin, BrokenLock],
            Action::RestartService,
            0.5,
        );
        least(&[FastLeak, DescriptorLeak], Action::RestartService, 0.1);
        assert!(
            all.iter()
                .filter(|w| !w.begun)
                .all(|w| w.label == Action::NoAction)
        );
    }

    #[test]
    fn a_seed_means_the_same_windows_whatever_else_is_drawn() {
        let all = windows(&[Situation::Stall, Situation::Healthy], 3, 9);
        assert_eq!(all, windows(&[Situation::Stall, Situation::Healthy], 3, 9));
        assert_ne!(all, windows(&[Situation::Stall, Situation::Healthy], 3, 10));
        let of = |windows: &[Window]| {
            let mut of: Vec<_> = windows
                .iter()
                .filter(|w| w.situation == Situation::Stall)
                .map(|w| w.damage)
                .collect();
            of.sort_by(|a, b| a[2].total_cmp(&b[2]));
            of
        };
        assert_eq!(of(&all), of(&windows(&[Situation::Stall], 3, 9)));
    }
}
