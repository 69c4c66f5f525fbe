//! Which leaf size and depth: those whose probabilities are best on incidents not trained on.
//!
//! Small leaves know every training row and are sure of themselves; decisions by expected cost need
//! probabilities that are right. So the choice is by log loss, and what belongs together (the rows of
//! one incident) is always held out together: rows of one incident are near copies of each other, and
//! a model that has seen some of them would look better than it is.

use super::TrainingError;
use super::calibration::calibration;
use super::dataset::Dataset;
use super::fit::{Recipe, fit};
use healing_core::rng::Rng;

/// Parts that the data is put into; each is held out once.
const FOLDS: usize = 3;
/// Leaf sizes tried.
const MIN_LEAVES: [usize; 4] = [5, 10, 20, 40];
/// Depths tried.
const DEPTHS: [u16; 2] = [6, 10];

/// What was chosen, and beside what.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The recipe with the lowest log loss.
    pub recipe: Recipe,
    /// All that were tried.
    pub tried: Vec<Tried>,
}

/// One recipe's result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tried {
    /// Fewest rows in a leaf.
    pub min_leaf: usize,
    /// Depth limit.
    pub max_depth: u16,
    /// Over all rows, each while it was held out.
    pub log_loss: f64,
}

/// Tries leaf sizes and depths; all else is as in `base`. The same data and seed choose the same.
///
/// # Errors
/// Where a forest cannot be trained, as with a single class.
pub fn choose(data: &Dataset, base: &Recipe) -> Result<Choice, TrainingError> {
    let folds = folds(data, base.seed);
    let mut tried = Vec::new();
    for max_depth in DEPTHS {
        for min_leaf in MIN_LEAVES {
            let recipe = Recipe {
                min_leaf,
                max_depth,
                ..base.clone()
            };
            let log_loss = held_out_log_loss(data, &folds, &recipe)?;
            tried.push(Tried {
                min_leaf,
                max_depth,
                log_loss,
            });
        }
    }
    let best = tried
        .iter()
        .min_by(|a, b| a.log_loss.total_cmp(&b.log_loss))
        .copied();
    let recipe = best.map_or_else(
        || base.clone(),
        |Tried {
             min_leaf,
             max_depth,
             ..
         }| Recipe {
            min_leaf,
            max_depth,
            ..base.clone()
        },
    );
    Ok(Choice { recipe, tried })
}

fn held_out_log_loss(
    data: &Dataset,
    folds: &[usize],
    recipe: &Recipe,
) -> Result<f64, TrainingError> {
    let mut said = Vec::with_capacity(data.len());
    for fold in 0..FOLDS {
        let part = |inside: bool| -> Vec<usize> {
            (0..data.len())
                .filter(|&row| (folds[row] == fold) == inside)
                .collect()
        };
        let (held_out, others) = (part(true), part(false));
        if held_out.is_empty() {
            continue;
        }
        let (forest, _) = fit(&data.select(&others), recipe)?;
        said.extend(held_out.into_iter().map(|row| {
            (
                forest.traverse(data.row(row)).probabilities(),
                data.labels()[row],
            )
        }));
    }
    Ok(calibration(said).log_loss)
}

/// The fold of each row: whole groups, or single rows where there are fewer groups than folds.
fn folds(data: &Dataset, seed: u64) -> Vec<usize> {
    let mut groups: Vec<&String> = data.groups().iter().collect();
    groups.sort();
    groups.dedup();
    let mut rng = Rng::new(seed).part(3);
    if groups.len() < FOLDS {
        let mut rows: Vec<usize> = (0..data.len()).map(|row| row % FOLDS).collect();
        rng.shuffle(&mut rows);
        return rows;
    }
    let mut order: Vec<usize> = (0..groups.len()).map(|group| group % FOLDS).collect();
    rng.shuffle(&mut order);
    let fold = |group: &String| groups.binary_search(&group).map_or(0, |index| order[index]);
    data.groups().iter().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic;
    use healing_core::decision::Action;

    #[test]
    fn groups_stay_together_and_folds_are_of_like_size() {
        let mut data = Dataset::new(["x"]);
        for row in 0..300_u16 {
            data.push(
                &[row.into()],
                Action::NoAction,
                &format!("incident {}", row / 10),
            )
            .unwrap();
        }
        let folds = folds(&data, 1);
        for incident in folds.chunks(10) {
            assert!(incident.iter().all(|fold| *fold == incident[0]));
        }
        for fold in 0..FOLDS {
            assert_eq!(folds.iter().filter(|other| **other == fold).count(), 100);
        }
    }

    #[test]
    fn the_best_of_what_was_tried_is_chosen_and_again() {
        let data = synthetic::generate(200, 5).unwrap();
        let base = Recipe {
            trees: 10,
            ..Recipe::default()
        };
        let choice = choose(&data, &base).unwrap();
        assert_eq!(choice.tried.len(), 8);
        let best = choice
            .tried
            .iter()
            .map(|tried| tried.log_loss)
            .fold(f64::INFINITY, f64::min);
        let chosen = choice.tried.iter().find(|tried| {
            (tried.min_leaf, tried.max_depth) == (choice.recipe.min_leaf, choice.recipe.max_depth)
        });
        assert!((chosen.unwrap().log_loss - best).abs() < f64::EPSILON);
        assert_eq!(choose(&data, &base).unwrap(), choice);
    }
}
