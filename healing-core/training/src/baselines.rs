//! What a model must beat: doing nothing, thresholds tuned on the same data, and a rule that someone
//! who knows the trends has written by hand.

use super::simulator::Window;
use healing_core::decision::Action;
use healing_core::features::{Feature, Features};

/// The original system's rule with its seven thresholds set anew for the least cost: restart above
/// the first of each pair, reset above the second; restart also where CPU *and* memory are high.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    /// What is compared.
    pub features: Vec<Feature>,
    /// Restart above.
    pub restart: Vec<f32>,
    /// Reset above.
    pub reset: Vec<f32>,
}

/// The original's snapshot figures.
pub const SNAPSHOT: [Feature; 3] = [Feature::ErrorCount, Feature::CpuUsage, Feature::MemoryUsage];
/// Windowed figures that one threshold each can stand for.
pub const WINDOWED: [Feature; 6] = [
    Feature::ErrorRatioFast,
    Feature::PanicRatio,
    Feature::RuntimeLag,
    Feature::CpuUsage,
    Feature::MemoryUsage,
    Feature::FdUsage,
];

const CANDIDATES: usize = 40;
const ROUNDS: usize = 4;

// === impl Thresholds ===

impl Thresholds {
    /// Finds the thresholds of the least cost on these windows, one at a time, in turn, until
    /// nothing gets better.
    #[must_use]
    pub fn tune(features: &[Feature], windows: &[&Window], costs: &[[f64; 3]; 3]) -> Self {
        let never = vec![f32::INFINITY; features.len()];
        let mut best = Self {
            features: features.to_vec(),
            restart: never.clone(),
            reset: never,
        };
        let mut least = best.cost(windows, costs);
        let candidates: Vec<Vec<f32>> = features.iter().map(|f| candidates(*f, windows)).collect();
        for _ in 0..ROUNDS {
            let before = least;
            for at in 0..2 * features.len() {
                for candidate in &candidates[at / 2] {
                    let mut other = best.clone();
                    let side = if at % 2 == 0 {
                        &mut other.restart
                    } else {
                        &mut other.reset
                    };
                    side[at / 2] = *candidate;
                    let cost = other.cost(windows, costs);
                    if cost < least {
                        (best, least) = (other, cost);
                    }
                }
            }
            if least >= before {
                break;
            }
        }
        best
    }

    /// What the rule does.
    #[must_use]
    pub fn decide(&self, features: &Features) -> Action {
        let above = |limits: &[f32]| {
            self.features
                .iter()
                .zip(limits)
                .any(|(feature, limit)| features.get(*feature).is_some_and(|value| value > *limit))
        };
        if above(&self.restart) {
            Action::RestartService
        } else if above(&self.reset) {
            Action::ResetErrors
        } else {
            Action::NoAction
        }
    }

    fn cost(&self, windows: &[&Window], costs: &[[f64; 3]; 3]) -> f64 {
        let cost = |w: &&Window| costs[w.label as usize][self.decide(&w.features) as usize];
        windows.iter().map(cost).sum()
    }
}

/// Quantiles of what was seen, and never.
fn candidates(feature: Feature, windows: &[&Window]) -> Vec<f32> {
    let mut values: Vec<f32> = windows
        .iter()
        .filter_map(|w| w.features.get(feature))
        .collect();
    values.sort_by(f32::total_cmp);
    let last = values.len().saturating_sub(1);
    let mut quantiles: Vec<f32> = (0..=CANDIDATES)
        .filter_map(|i| values.get(i * last / CANDIDATES).copied())
        .chain([f32::INFINITY])
        .collect();
    quantiles.dedup();
    quantiles
}

/// A rule written by hand, with the trends in view. Each line is one piece of an operator's
/// experience; together they are what a model has to be better than.
#[must_use]
pub fn trend_rule(features: &Features) -> Action {
    let get = |feature| features.get(feature).unwrap_or(0.0);
    let or_far = |feature| features.get(feature).unwrap_or(86_400.0);
    let errors = get(Feature::ErrorRatioFast).min(2.0 * get(Feature::ErrorRatioSlow));
    let young = get(Feature::Uptime) < 420.0;
    let busy = get(Feature::LoadRatio) > 1.8;
    let night = get(Feature::HourOfDay) < 6.0;

    // The runtime hardly ticks: its workers are blocked, whatever the requests do.
    if get(Feature::RuntimeLag) > 0.2 {
        return Action::RestartService;
    }
    // A limit comes near.
    let memory_ends =
        or_far(Feature::MemoryTimeToLimit) < 300.0 && get(Feature::MemoryUsage) > 60.0;
    let fds_end = or_far(Feature::FdTimeToLimit) < 300.0 || get(Feature::FdUsage) > 95.0;
    if (memory_ends && get(Feature::CpuUsage) < 80.0) || fds_end {
        return Action::RestartService;
    }
    // The whole CPU is used up, not by more requests than usual, nor by what runs at night.
    if get(Feature::CpuUsage) > 90.0 && !busy && !young && !night {
        return Action::RestartService;
    }
    // Panic after panic: something in memory is broken for good, unless this version never worked.
    if get(Feature::PanicRatio) > 0.04 && !young {
        return Action::RestartService;
    }
    // Not ours to heal: a dependency is down, or there is too much load.
    if get(Feature::FailingDependencies) > 0.0 || busy || young {
        return Action::NoAction;
    }
    // A soft heal did not help: another will not.
    if get(Feature::SinceLastHeal) < 400.0 {
        return Action::NoAction;
    }
    let slow = get(Feature::P50Ratio) > 4.0;
    if errors > 0.07 || slow || get(Feature::FailingLocals) > 0.0 {
        return Action::ResetErrors;
    }
    Action::NoAction
}
