//! The default model: what it looks at, what it learns from, how it is grown.
//!
//! The recipe was chosen on seeds of its own ([`DEVELOPMENT`] and the next three), not on those of the
//! judgement: `cargo run --release -p healing-training --bin judge`. There, on incidents
//! held out, a decision of the model costs 0.56, of the hand-written trend rule 0.80, of the compiled-in
//! rules 1.31; on kinds of incidents that it has not learned from it costs 3.56, they 0.80 and 1.32. So it
//! [advises](healing_core::config::ModelRole::Advises), and the rules decide.

use super::TrainingError;
use super::builtin::train_and_judge;
use super::evaluate::Report;
use super::fit::Recipe;
use super::simulator::{Situation, Window, dataset, windows};
use healing_core::features::Feature;
use healing_core::model::Model;

/// Its features. Left out are those that speak of one service's size (requests per second, in flight).
/// An app with little traffic has no median to compare with its usual: there the rules judge.
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

/// The seed of the windows that the recipe was chosen on.
pub const DEVELOPMENT: u64 = 1001;
/// The seed of the windows that the compiled-in model has learned from, and of its forest.
pub const SEED: u64 = 42;
/// Incidents of each situation that it has learned from, and is judged on beside.
pub const INCIDENTS: u32 = 200;

/// How its forest is grown. More features a split than the root of their number, because most rows
/// are told apart by one or two of them; leaves of five rows and more keep the votes honest. Trees are
/// cut back to 64 leaves where that costs least: leaves large enough to be 64 would be of 30 rows, and
/// cost a fifth more.
#[must_use]
pub fn recipe(seed: u64) -> Recipe {
    Recipe {
        trees: 100,
        min_leaf: 5,
        max_depth: 14,
        features_per_split: Some(8),
        prune: true,
        seed,
        ..Recipe::default()
    }
}

/// Draws the situations, learns from three quarters of the incidents, reports on the rest.
///
/// # Errors
/// Where training fails.
pub fn default_model(incidents: u32, seed: u64) -> Result<(Model, Report), TrainingError> {
    let all = windows(&Situation::ALL, incidents, seed);
    let (train, test): (Vec<&Window>, Vec<&Window>) =
        all.iter().partition(|window| !is_held_out(window));
    let words = format!(
        "{} simulated situations, {incidents} incidents of each, a quarter held out, seed {seed}",
        Situation::ALL.len()
    );
    train_and_judge(
        "default",
        &words,
        &dataset(train, &FEATURES)?,
        &dataset(test, &FEATURES)?,
        &recipe(seed),
    )
}

/// The last quarter of `windows` in time: the incidents that began last (they are numbered in order).
#[must_use]
pub fn begins_late(window: &Window, windows: &[Window]) -> bool {
    let last = windows.iter().map(|w| w.incident).max().unwrap_or_default();
    4 * u64::from(window.incident) >= 3 * (u64::from(last) + 1)
}

/// Every fourth incident (they are numbered in a mixed order) is kept for judging.
#[must_use]
pub fn is_held_out(window: &Window) -> bool {
    window.incident.is_multiple_of(4)
}

#[cfg(test)]
mod tests {
    use super::super::baselines::{SNAPSHOT, Thresholds, trend_rule};
    use super::super::calibration::calibration;
    use super::*;
    use healing_core::brain::min_expected_cost;
    use healing_core::config::PolicyConfig;
    use healing_core::decision::Action;
    use healing_core::model::{Classifier, Votes, builtin};

    /// The compiled-in model on situations that it has not learned from, few enough for every test run;
    /// the whole judgement is an example of its own.
    #[test]
    fn the_compiled_in_model_is_worth_its_bytes() {
        let model = builtin::named("default").unwrap().unwrap();
        let names = FEATURES.map(|feature| feature.name().to_owned());
        let header: Vec<_> = model
            .header()
            .features
            .iter()
            .map(|f| f.name.clone())
            .collect();
        assert_eq!(header, names);

        let fresh = windows(&Situation::ALL, 6, DEVELOPMENT + 1);
        let fresh: Vec<&Window> = fresh.iter().collect();
        let costs = PolicyConfig::default().costs;
        let votes = |window: &Window| model.votes(&window.features).ok().map(Votes::probabilities);
        let cost = |decide: &dyn Fn(&Window) -> Action| {
            let of = |w: &&Window| costs[w.label as usize][decide(w) as usize];
            fresh.iter().map(of).sum::<f64>() / fresh.len() as f64
        };
        let by_model = cost(&|w| votes(w).map_or(w.rules, |p| min_expected_cost(p, &costs)));
        // Tuned on the very windows that they are judged on: better than they could honestly be.
        let thresholds = Thresholds::tune(&SNAPSHOT, &fresh, &costs);
        let by_thresholds = cost(&|w| thresholds.decide(&w.features));
        let by_trends = cost(&|w| trend_rule(&w.features));
        let said = fresh.iter().filter_map(|w| votes(w).map(|p| (p, w.label)));
        let loss = calibration(said).log_loss;
        let figures = format!(
            "model {by_model:.3}, thresholds {by_thresholds:.3}, trend rule {by_trends:.3}, log loss {loss:.3}"
        );
        assert!(by_model <= by_thresholds / 3.0, "{figures}");
        assert!(by_trends <= by_thresholds / 3.0, "{figures}");
        assert!(by_model <= by_trends, "{figures}");
        assert!(loss <= 0.30, "{figures}");
    }

    #[test]
    fn a_seed_means_the_same_model() {
        let train = || {
            let (model, _) = default_model(2, 5).unwrap();
            model.to_bytes()
        };
        assert!(train() == train());
    }
}
