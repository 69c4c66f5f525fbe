//! Tables, `RESULT` lines and the target for the model.

use super::statistics::{mean, upper_bound};
use healing_core::config::{ModelRole, PolicyConfig};
use healing_training::compare::{Comparison, ConfusionTable, DECIDERS, Score, ScoreTable};
use healing_training::evaluate::Importances;

/// Maximum of the model's cost relative to the tuned thresholds'.
const MAX_COST_RATIO: f64 = 1.0 / 3.0;
/// Maximum of the upper bound of the model's cost above the trend rule's, relative to the latter.
const MAX_EXCESS: f64 = 0.05;

/// Prints the results for one kind of held-out examples, with one list of comparisons for each seed.
/// Reports if the model meets the target.
pub(crate) fn print_report(name: &str, held_out: &str, seeds: &[Vec<Comparison>]) -> bool {
    let all: Vec<Comparison> = seeds.iter().flatten().cloned().collect();
    let scores = Comparison::scores(&all);
    let calibration = Comparison::calibration(&all);
    println!("== {held_out} held out ==\n{}", ScoreTable(&scores));
    println!("decisions\n{}", ConfusionTable(&scores));
    println!("probabilities of the model\n{calibration}");
    println!("{}", Importances(&Comparison::importances(&all)));
    let by_seed: Vec<Vec<Score>> = seeds
        .iter()
        .map(|comparisons| Comparison::scores(comparisons))
        .collect();
    let summary = CostSummary::of(&by_seed);
    println!(
        "RESULT judge_{name}_log_loss {:.4} nats",
        calibration.log_loss
    );
    println!(
        "RESULT judge_{name}_model_cost {:.4} cost",
        summary.model_cost
    );
    println!(
        "RESULT judge_{name}_trend_cost {:.4} cost",
        summary.trend_cost
    );
    println!(
        "RESULT judge_{name}_rules_cost {:.4} cost",
        summary.rules_cost
    );
    println!(
        "RESULT judge_{name}_model_vs_thresholds {:.3} ratio",
        summary.cost_ratio
    );
    println!(
        "RESULT judge_{name}_model_minus_trend_upper {:.3} ratio",
        summary.excess
    );
    let met = summary.meet_target();
    println!(
        "target (at most a third of the tuned thresholds' cost, at most 5 % above the trend rule's): {}\n",
        if met { "met" } else { "NOT met" }
    );
    met
}

/// Costs of the model and of its baselines.
#[derive(Debug, PartialEq)]
struct CostSummary {
    model_cost: f64,
    trend_cost: f64,
    rules_cost: f64,
    /// Cost of the model relative to the tuned thresholds'.
    cost_ratio: f64,
    /// Upper bound of the model's cost minus the trend rule's, relative to the latter.
    excess: f64,
}

impl CostSummary {
    /// Computes the summary from each seed's scores.
    fn of(seeds: &[Vec<Score>]) -> Self {
        let costs = |name: &str| -> Vec<f64> {
            let at = DECIDERS
                .iter()
                .position(|decider| *decider == name)
                .unwrap_or(0);
            seeds.iter().map(|scores| scores[at].mean_cost).collect()
        };
        let [model, thresholds, trend, rules] = [
            "model",
            "tuned thresholds",
            "trend rule",
            "compiled-in rules",
        ]
        .map(costs);
        let difference: Vec<f64> = model.iter().zip(&trend).map(|(m, t)| m - t).collect();
        Self {
            model_cost: mean(&model),
            trend_cost: mean(&trend),
            rules_cost: mean(&rules),
            cost_ratio: mean(&model) / mean(&thresholds),
            excess: upper_bound(&difference) / mean(&trend),
        }
    }

    /// Reports if the model meets the target.
    fn meet_target(&self) -> bool {
        self.cost_ratio <= MAX_COST_RATIO && self.excess <= MAX_EXCESS
    }
}

/// Returns the configured default role of the model and the reason for it, by the targets met for held-out
/// incidents, the latest incidents, and scenarios.
pub(crate) fn conclusion(met: [bool; 3]) -> String {
    let role = match PolicyConfig::default().model {
        ModelRole::Advises => {
            "the compiled-in rules decide, the model advises (its votes are recorded)"
        }
        ModelRole::Decides => "the model decides, within the evidence",
    };
    let reason = match met {
        [true, true, true] => "the model meets the target on all held-out examples",
        [true, true, false] => {
            "the model meets the target on new incidents of known scenarios, but not on unknown scenarios, \
             and an operator's next incident may be of an unknown one"
        }
        _ => "the model does not meet the target",
    };
    format!("Default: {role}.\nReason: {reason}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a seed's scores: all costs 4 except the model's and the trend rule's.
    fn scores(model: f64, trend: f64) -> Vec<Score> {
        DECIDERS
            .into_iter()
            .map(|decider| Score {
                decider,
                confusion: [[0; 3]; 3],
                mean_cost: match decider {
                    "model" => model,
                    "trend rule" => trend,
                    _ => 4.0,
                },
                regret: 0.0,
            })
            .collect()
    }

    #[test]
    fn target_bounds_cost_by_thresholds_and_trend_rule() {
        for (model, trend, met) in [
            (1.0, 1.0, true),
            (1.04, 1.0, true),
            (1.06, 1.0, false),
            (1.3, 1.3, true),
            (1.4, 1.4, false),
        ] {
            let summary = CostSummary::of(&[scores(model, trend), scores(model, trend)]);
            assert_eq!(summary.meet_target(), met, "{summary:?}");
        }
    }

    #[test]
    fn target_uses_upper_bound_over_seeds() {
        let steady = CostSummary::of(&[scores(1.0, 1.0), scores(1.0, 1.0)]);
        let variable = CostSummary::of(&[scores(0.5, 1.0), scores(1.5, 1.0)]);
        assert!((steady.model_cost - variable.model_cost).abs() < 1e-12);
        assert!(steady.meet_target() && !variable.meet_target());
    }

    #[test]
    fn conclusion_names_default_role_and_reason() {
        let text = conclusion([true, true, false]);
        assert!(text.contains("the model advises"), "{text}");
        assert!(text.contains("not on unknown scenarios"), "{text}");
        assert!(conclusion([false, true, true]).contains("does not meet"));
    }
}
