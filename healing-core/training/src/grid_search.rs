//! Grid search over leaf size and depth by grouped cross-validation.
//!
//! The score is the log loss on held-out rows, because decisions by expected cost need calibrated
//! probabilities, and forests with small leaves are overconfident. A group (the rows of one incident) is
//! always held out as a whole. Its rows are near copies of each other, so the score of a model that was
//! trained on some of them would be too good.

use super::TrainingError;
use super::calibration::calibration;
use super::dataset::Dataset;
use super::fit::fit;
use super::forest_params::ForestParams;
use healing_core::rng::Rng;

/// Number of cross-validation folds.
const FOLDS: usize = 3;
/// Grid of minimum leaf sizes.
const MIN_LEAVES: [usize; 4] = [5, 10, 20, 40];
/// Grid of maximum depths.
const DEPTHS: [u16; 2] = [6, 10];

/// Result of a grid search.
#[derive(Debug, Clone, PartialEq)]
pub struct GridSearch {
    /// Hyper-parameters with the lowest log loss.
    pub params: ForestParams,
    /// All candidates.
    pub candidates: Vec<Candidate>,
}

/// One point of the grid with its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Minimum number of rows in a leaf.
    pub min_leaf: usize,
    /// Maximum depth.
    pub max_depth: u16,
    /// Log loss over all rows, each predicted while it was held out.
    pub log_loss: f64,
}

/// Searches the grid of leaf sizes and depths; all other parameters are those of `base`. The result
/// depends only on data and seed.
///
/// # Errors
///
/// If a forest cannot be trained, for example because there is only one class.
pub fn grid_search(data: &Dataset, base: &ForestParams) -> Result<GridSearch, TrainingError> {
    let folds = group_folds(data, base.seed);
    let mut best: Option<(f64, ForestParams)> = None;
    let mut candidates = Vec::new();
    for max_depth in DEPTHS {
        for min_leaf in MIN_LEAVES {
            let params = ForestParams {
                min_leaf,
                max_depth,
                ..base.clone()
            };
            let log_loss = held_out_log_loss(data, &folds, &params)?;
            candidates.push(Candidate {
                min_leaf,
                max_depth,
                log_loss,
            });
            if best
                .as_ref()
                .is_none_or(|(least, _)| log_loss.total_cmp(least).is_lt())
            {
                best = Some((log_loss, params));
            }
        }
    }
    let params = best.map_or_else(|| base.clone(), |(_, params)| params);
    Ok(GridSearch { params, candidates })
}

/// Returns the log loss over all rows, each predicted by a forest trained without its fold.
fn held_out_log_loss(
    data: &Dataset,
    folds: &[usize],
    params: &ForestParams,
) -> Result<f64, TrainingError> {
    let mut predictions = Vec::with_capacity(data.len());
    for fold in 0..FOLDS {
        let (held_out, others): (Vec<usize>, Vec<usize>) =
            (0..data.len()).partition(|&row| folds[row] == fold);
        if held_out.is_empty() {
            continue;
        }
        let (forest, _) = fit(&data.select(&others), params)?;
        predictions.extend(held_out.into_iter().map(|row| {
            (
                forest.traverse(data.row(row)).probabilities(),
                data.labels()[row],
            )
        }));
    }
    Ok(calibration(predictions).log_loss)
}

/// Returns the fold of each row, which is chosen by group, or by row if there are fewer groups than folds.
fn group_folds(data: &Dataset, seed: u64) -> Vec<usize> {
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
    fn folds_keep_groups_together_and_have_equal_sizes() {
        let mut data = Dataset::new(["x"]);
        for row in 0..300_u16 {
            data.push(
                &[row.into()],
                Action::NoAction,
                &format!("incident {}", row / 10),
            )
            .unwrap();
        }
        let folds = group_folds(&data, 1);
        for incident in folds.chunks(10) {
            assert!(incident.iter().all(|fold| *fold == incident[0]));
        }
        for fold in 0..FOLDS {
            assert_eq!(folds.iter().filter(|other| **other == fold).count(), 100);
        }
    }

    #[test]
    fn grid_search_returns_best_candidate_and_is_reproducible() {
        let data = synthetic::generate(200, 5).unwrap();
        let base = ForestParams {
            trees: 10,
            ..ForestParams::default()
        };
        let search = grid_search(&data, &base).unwrap();
        assert_eq!(search.candidates.len(), 8);
        let best = search
            .candidates
            .iter()
            .map(|candidate| candidate.log_loss)
            .fold(f64::INFINITY, f64::min);
        let chosen = search.candidates.iter().find(|candidate| {
            (candidate.min_leaf, candidate.max_depth)
                == (search.params.min_leaf, search.params.max_depth)
        });
        assert!((chosen.unwrap().log_loss - best).abs() < f64::EPSILON);
        assert_eq!(grid_search(&data, &base).unwrap(), search);
    }
}
