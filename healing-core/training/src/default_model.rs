//! The default model: its features, training data and hyper-parameters.
//!
//! The hyper-parameters were chosen with separate seeds ([`DEVELOPMENT_SEED`] and the next three), which
//! the comparison (`cargo judge incidents`) does not use. In the comparison, on held-out incidents, a decision of
//! the model costs 0.56, of the hand-written trend rule 0.80, of the compiled-in rules 1.31; on held-out
//! scenarios 3.56, 0.80 and 1.32. The model therefore [advises](healing_core::config::ModelRole::Advises), and the rules decide.

use super::TrainingError;
use super::builtin::train_and_evaluate;
use super::evaluate::Report;
use super::forest_params::ForestParams;
use super::simulator::{Example, Scenario, dataset, simulate};
use healing_core::features::Feature;
use healing_core::model::Model;

/// Features of the model. Those that depend on a service's size (requests per second, in-flight requests)
/// are left out. The median latency of an app with little traffic is unknown, so the rules decide
/// for it.
pub const FEATURES: [Feature; 15] = [
    Feature::ErrorRatioFast,
    Feature::ErrorRatioSlow,
    Feature::PanicRatio,
    Feature::Uptime,
    Feature::CpuUsage,
    Feature::LoadRatio,
    Feature::MemoryUsage,
    Feature::HourOfDay,
    Feature::MemoryTimeToLimit,
    Feature::P50Ratio,
    Feature::FdTimeToLimit,
    Feature::RuntimeLag,
    Feature::FailingDependencies,
    Feature::FailingLocals,
    Feature::SinceLastHeal,
];

/// Seed of the examples on which the hyper-parameters were chosen.
pub const DEVELOPMENT_SEED: u64 = 1001;
/// Seed of the compiled-in model's examples and of its forest.
pub const SEED: u64 = 42;
/// Number of incidents of each scenario, for training and evaluation together.
pub const INCIDENTS: u32 = 200;

/// Returns the model's hyper-parameters. A split tries more features than the square root of their number,
/// because one or two of them separate most rows; leaves of at least five rows keep the votes calibrated.
/// Trees are pruned to 64 leaves. Without pruning, leaves would need at least 30 rows for that, and the
/// mean cost would be a fifth higher.
#[must_use]
pub fn forest_params(seed: u64) -> ForestParams {
    ForestParams {
        trees: 100,
        min_leaf: 5,
        max_depth: 14,
        features_per_split: Some(8),
        prune: true,
        seed,
        ..ForestParams::default()
    }
}

/// Trains the model on three quarters of the simulated incidents and evaluates it on the rest.
///
/// # Errors
///
/// If training fails.
pub fn default_model(incidents: u32, seed: u64) -> Result<(Model, Report), TrainingError> {
    let examples = simulate(&Scenario::ALL, incidents, seed);
    let (train, test): (Vec<&Example>, Vec<&Example>) =
        examples.iter().partition(|example| !is_held_out(example));
    let source = format!(
        "{} simulated situations, {incidents} incidents of each, a quarter held out, seed {seed}",
        Scenario::ALL.len()
    );
    train_and_evaluate(
        "default",
        &source,
        &dataset(train, &FEATURES)?,
        &dataset(test, &FEATURES)?,
        &forest_params(seed),
    )
}

/// Returns `true` if the example belongs to the last quarter of the incidents, which are numbered in order of
/// time.
#[must_use]
pub fn is_in_last_quarter(example: &Example, examples: &[Example]) -> bool {
    let last = examples
        .iter()
        .map(|other| other.incident)
        .max()
        .unwrap_or_default();
    4 * u64::from(example.incident) >= 3 * (u64::from(last) + 1)
}

/// Returns `true` if the example belongs to the evaluated quarter of the incidents: every fourth, in shuffled
/// order.
#[must_use]
pub fn is_held_out(example: &Example) -> bool {
    example.incident.is_multiple_of(4)
}

#[cfg(test)]
mod tests {
    use super::super::baselines::{SNAPSHOT, Thresholds, trend_rule};
    use super::super::calibration::calibration;
    use super::*;
    use healing_core::config::PolicyConfig;
    use healing_core::decision::Action;
    use healing_core::model::{Classifier, Votes, builtin};
    use healing_core::policy::min_expected_cost;

    /// Compares on fresh incidents, few enough for every test run; `cargo judge incidents` is the full comparison.
    #[test]
    fn compiled_in_model_meets_cost_target_on_fresh_incidents() {
        let model = builtin::named("default").unwrap().unwrap();
        let names = FEATURES.map(|feature| feature.name().to_owned());
        let header: Vec<_> = model
            .header()
            .features
            .iter()
            .map(|f| f.name.clone())
            .collect();
        assert_eq!(header, names);

        let fresh = simulate(&Scenario::ALL, 6, DEVELOPMENT_SEED + 1);
        let fresh: Vec<&Example> = fresh.iter().collect();
        let costs = PolicyConfig::default().costs;
        // A model is trained on rows without absent features, so only those show the quality of its training.
        let votes = |example: &Example| {
            let classification = model.classify(&example.features);
            let is_complete = classification.absent.is_empty();
            let votes = classification.votes.ok().filter(|_| is_complete);
            votes.map(Votes::probabilities)
        };
        let cost = |decide: &dyn Fn(&Example) -> Action| {
            let cost = |e: &&Example| costs[e.label as usize][decide(e) as usize];
            fresh.iter().map(cost).sum::<f64>() / fresh.len() as f64
        };
        let by_model = cost(&|e| votes(e).map_or(e.rules, |p| min_expected_cost(p, &costs)));
        // Tuned on the test examples themselves, so their cost is a lower bound.
        let thresholds = Thresholds::tune(&SNAPSHOT, &fresh, &costs);
        let by_thresholds = cost(&|e| thresholds.decide(&e.features));
        let by_trends = cost(&|e| trend_rule(&e.features));
        let predictions = fresh.iter().filter_map(|e| votes(e).map(|p| (p, e.label)));
        let loss = calibration(predictions).log_loss;
        let summary = format!(
            "model {by_model:.3}, thresholds {by_thresholds:.3}, trend rule {by_trends:.3}, log loss {loss:.3}"
        );
        assert!(by_model <= by_thresholds / 3.0, "{summary}");
        assert!(by_trends <= by_thresholds / 3.0, "{summary}");
        assert!(by_model <= by_trends, "{summary}");
        assert!(loss <= 0.30, "{summary}");
    }

    #[test]
    fn model_depends_on_seed_alone() {
        let train = || {
            let (model, _) = default_model(2, 5).unwrap();
            model.to_bytes()
        };
        assert!(train() == train());
    }
}
