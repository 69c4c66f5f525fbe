//! Tests that contributions add up to the share and equal the Shapley values of the definition.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss
)]

use super::tree_shap::covers;
use super::*;
use crate::model::Classifier as _;
use crate::model::builtin::ORIGINAL_FIVE;
use crate::model::forest::testing::random_tree;
use crate::model::forest::{Forest, MAX_FEATURES, Node, Tree};
use crate::rng::Rng;

#[test]
fn contributions_and_base_add_up_to_vote_share() {
    let mut rng = Rng::new(5);
    for _ in 0..150 {
        let features = 1 + rng.index(24);
        let leaves = 1 + rng.index(120);
        let trees = (0..1 + rng.index(30))
            .map(|_| random_tree(&mut rng, features, leaves, |rng| rng.normal() as f32))
            .collect();
        let Ok(forest) = Forest::new(features, trees) else {
            continue;
        };
        for _ in 0..5 {
            let mut row = [0.0; MAX_FEATURES];
            row[..features].fill_with(|| rng.normal() as f32);
            let votes = forest.traverse(&row);
            for action in Action::ALL {
                let (base, adds) = contributions(&forest, &row, action);
                let share = f64::from(votes.0[action as usize]) / f64::from(votes.trees());
                let sum = base + adds.iter().sum::<f64>();
                assert!(
                    (sum - share).abs() < 1e-9,
                    "{sum} is not {share}, {features} features"
                );
            }
        }
    }
}

/// Returns the expected vote share of `class` when only the features in the bit set `known` are known.
fn value(tree: &Tree, covers: &[f64], at: usize, row: &[f32], known: u32, class: u8) -> f64 {
    match tree[at] {
        Node::Leaf { class: vote, .. } => f64::from(u8::from(vote == class)),
        Node::Split {
            feature,
            threshold,
            below,
            above,
        } => {
            let (below, above) = (below as usize, above as usize);
            let of = |child| value(tree, covers, child, row, known, class);
            if known >> feature & 1 == 1 {
                of(if row[usize::from(feature)] <= threshold {
                    below
                } else {
                    above
                })
            } else {
                (covers[below] * of(below) + covers[above] * of(above)) / covers[at]
            }
        }
    }
}

#[test]
fn contributions_equal_shapley_values_by_definition() {
    let mut rng = Rng::new(6);
    let features = 4;
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    for _ in 0..40 {
        let tree = random_tree(&mut rng, features, 12, |rng| rng.normal() as f32);
        let covers = covers(&tree);
        let mut row = [0.0; MAX_FEATURES];
        row[..features].fill_with(|| rng.normal() as f32);
        let forest = Forest::new(features, vec![tree.clone()]).unwrap();
        let (_, adds) = contributions(&forest, &row, Action::ResetErrors);
        for (feature, adds) in adds.iter().take(features).enumerate() {
            let mut expected = 0.0;
            for known in (0..1_u32 << features).filter(|known| known >> feature & 1 == 0) {
                let size = known.count_ones();
                let weight = factorial(size) * factorial(features as u32 - size - 1)
                    / factorial(features as u32);
                let of = |known| value(&tree, &covers, 0, &row, known, 1);
                expected += weight * (of(known | 1 << feature) - of(known));
            }
            assert!((adds - expected).abs() < 1e-12, "{adds} is not {expected}");
        }
    }
}

#[test]
fn explanation_names_leading_features_in_one_sentence() {
    let model = Model::from_bytes(ORIGINAL_FIVE).unwrap();
    let known = [
        (Feature::CpuUsage, 30.0),
        (Feature::MemoryUsage, 40.0),
        (Feature::ErrorCount, 15.0),
        (Feature::Uptime, 9000.0),
        (Feature::HourOfDay, 12.0),
    ];
    let features: Features = known.into_iter().collect();
    let explanation = model.explain(&features, Action::RestartService).unwrap();
    assert_eq!(explanation.contributions[0].feature, Feature::ErrorCount);
    let sentence = explanation.to_string();
    let expected = "98 % of the trees vote for restart_service (43 % before anything is known), for: \
                    error_count 15 errors (+5";
    assert!(sentence.starts_with(expected), "{sentence}");
    let sum: f64 = explanation.base
        + explanation
            .contributions
            .iter()
            .map(|one| one.adds)
            .sum::<f64>();
    assert!((sum - explanation.share).abs() < 1e-9);
    let contributions = model
        .contributions(&features, Action::RestartService)
        .unwrap();
    assert_eq!(contributions.features[0].0, Feature::ErrorCount);
}
