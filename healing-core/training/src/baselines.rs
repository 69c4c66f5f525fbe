//! Baselines that a model must outperform: thresholds tuned on the same data, and a hand-written rule over
//! trends.

use super::simulator::Example;
use healing_core::decision::Action;
use healing_core::features::{Feature, Features};

/// Rule of the original system's kind, with thresholds tuned for the lowest cost. It restarts if any
/// feature exceeds its restart threshold, otherwise it resets if any feature exceeds its reset threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    /// Features compared with the thresholds.
    pub features: Vec<Feature>,
    /// Restart threshold of each feature.
    pub restart: Vec<f32>,
    /// Reset threshold of each feature.
    pub reset: Vec<f32>,
}

/// Features of the original system.
pub const SNAPSHOT: [Feature; 3] = [Feature::ErrorCount, Feature::CpuUsage, Feature::MemoryUsage];
/// Windowed and resource features for which a single threshold is useful.
pub const WINDOWED: [Feature; 6] = [
    Feature::ErrorRatioFast,
    Feature::PanicRatio,
    Feature::RuntimeLag,
    Feature::CpuUsage,
    Feature::MemoryUsage,
    Feature::FdUsage,
];

/// Number of quantiles tried as a threshold of each feature.
const QUANTILES: usize = 40;
/// Maximum number of passes over all thresholds.
const PASSES: usize = 4;

// === impl Thresholds ===

impl Thresholds {
    /// Tunes the thresholds for the lowest cost on these examples by coordinate descent.
    #[must_use]
    pub fn tune(features: &[Feature], examples: &[&Example], costs: &[[f64; 3]; 3]) -> Self {
        let never = vec![f32::INFINITY; features.len()];
        let mut best = Self {
            features: features.to_vec(),
            restart: never.clone(),
            reset: never,
        };
        let mut least = best.cost(examples, costs);
        let candidates: Vec<Vec<f32>> = features.iter().map(|f| candidates(*f, examples)).collect();
        for _ in 0..PASSES {
            let before = least;
            for at in 0..2 * features.len() {
                for candidate in &candidates[at / 2] {
                    let mut trial = best.clone();
                    let thresholds = if at % 2 == 0 {
                        &mut trial.restart
                    } else {
                        &mut trial.reset
                    };
                    thresholds[at / 2] = *candidate;
                    let cost = trial.cost(examples, costs);
                    if cost < least {
                        (best, least) = (trial, cost);
                    }
                }
            }
            if least >= before {
                break;
            }
        }
        best
    }

    /// Returns the rule's action.
    #[must_use]
    pub fn decide(&self, features: &Features) -> Action {
        let exceeds = |thresholds: &[f32]| {
            self.features
                .iter()
                .zip(thresholds)
                .any(|(feature, threshold)| {
                    features
                        .get(*feature)
                        .is_some_and(|value| value > *threshold)
                })
        };
        if exceeds(&self.restart) {
            Action::RestartService
        } else if exceeds(&self.reset) {
            Action::ResetErrors
        } else {
            Action::NoAction
        }
    }

    /// Returns the total cost of the rule's decisions.
    fn cost(&self, examples: &[&Example], costs: &[[f64; 3]; 3]) -> f64 {
        let cost = |e: &&Example| costs[e.label as usize][self.decide(&e.features) as usize];
        examples.iter().map(cost).sum()
    }
}

/// Returns quantiles of the feature's values, and infinity for a threshold that is never exceeded.
fn candidates(feature: Feature, examples: &[&Example]) -> Vec<f32> {
    let mut values: Vec<f32> = examples
        .iter()
        .filter_map(|example| example.features.get(feature))
        .collect();
    values.sort_by(f32::total_cmp);
    let last = values.len().saturating_sub(1);
    let mut quantiles: Vec<f32> = (0..=QUANTILES)
        .filter_map(|i| values.get(i * last / QUANTILES).copied())
        .chain([f32::INFINITY])
        .collect();
    quantiles.dedup();
    quantiles
}

/// Returns the action of a hand-written rule over trends, which represents an experienced operator.
#[must_use]
pub fn trend_rule(features: &Features) -> Action {
    let get = |feature| features.get(feature).unwrap_or(0.0);
    let time_to_limit = |feature| features.get(feature).unwrap_or(86_400.0);
    let errors = get(Feature::ErrorRatioFast).min(2.0 * get(Feature::ErrorRatioSlow));
    let recently_started = get(Feature::Uptime) < 420.0;
    let busy = get(Feature::LoadRatio) > 1.8;
    let night = get(Feature::HourOfDay) < 6.0;

    // The runtime's workers are blocked, regardless of the requests.
    if get(Feature::RuntimeLag) > 0.2 {
        return Action::RestartService;
    }
    // A limit will be reached soon.
    let memory_runs_out =
        time_to_limit(Feature::MemoryTimeToLimit) < 300.0 && get(Feature::MemoryUsage) > 60.0;
    let fds_run_out = time_to_limit(Feature::FdTimeToLimit) < 300.0 || get(Feature::FdUsage) > 95.0;
    if (memory_runs_out && get(Feature::CpuUsage) < 80.0) || fds_run_out {
        return Action::RestartService;
    }
    // The CPU is saturated, but not by more load than usual or by a nightly job.
    if get(Feature::CpuUsage) > 90.0 && !busy && !recently_started && !night {
        return Action::RestartService;
    }
    // Repeated panics of a version that has been available mean that state in memory is broken.
    if get(Feature::PanicRatio) > 0.04 && !recently_started {
        return Action::RestartService;
    }
    // No treatment helps against a failing dependency or too much load.
    if get(Feature::FailingDependencies) > 0.0 || busy || recently_started {
        return Action::NoAction;
    }
    // A soft heal that did not help is not repeated.
    if get(Feature::SinceLastHeal) < 400.0 {
        return Action::NoAction;
    }
    let slow = get(Feature::P50Ratio) > 4.0;
    if errors > 0.07 || slow || get(Feature::FailingLocals) > 0.0 {
        return Action::ResetErrors;
    }
    Action::NoAction
}
