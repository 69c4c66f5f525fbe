//! Splits into training and test rows.
//!
//! Rows of one incident are near copies of each other, so with a split by rows the model would be trained on
//! the incidents that it is evaluated on. The splits here therefore keep each group on one side. In data
//! without groups, each row is a separate group. [`train_test_split`] is for independent rows.

use std::collections::BTreeMap;

use super::dataset::Dataset;
use healing_core::rng::Rng;

/// Row indices of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to train on.
    pub train: Vec<usize>,
    /// Rows to evaluate on.
    pub test: Vec<usize>,
}

/// Shuffles the rows and splits them; the second data set has `test_share` of them.
#[must_use]
pub fn train_test_split(data: &Dataset, test_share: f64, seed: u64) -> (Dataset, Dataset) {
    let mut order: Vec<usize> = (0..data.len()).collect();
    Rng::new(seed).part(1).shuffle(&mut order);
    let (test, train) = order.split_at(share_of(data.len(), test_share));
    (data.select(train), data.select(test))
}

/// Holds out `test_share` of the groups, chosen by the seed.
#[must_use]
pub fn by_group(data: &Dataset, test_share: f64, seed: u64) -> Split {
    let mut groups = groups_by_start(data);
    Rng::new(seed).part(3).shuffle(&mut groups);
    hold_out_last(&groups, test_share)
}

/// Holds out the groups that started last. Rows must be in order of time. A group that continues after
/// the first held-out row stays on the side of its first row.
#[must_use]
pub fn by_time(data: &Dataset, test_share: f64) -> Split {
    hold_out_last(&groups_by_start(data), test_share)
}

/// Returns the rows of each group, groups ordered by their first row.
fn groups_by_start(data: &Dataset) -> Vec<Vec<usize>> {
    let mut places = BTreeMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (row, group) in data.groups().iter().enumerate() {
        let place = *places.entry(group).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(row);
    }
    if groups.len() < 2 {
        return (0..data.len()).map(|row| vec![row]).collect();
    }
    groups
}

/// Holds out the last `test_share` of the groups.
fn hold_out_last(groups: &[Vec<usize>], test_share: f64) -> Split {
    let held_out = share_of(groups.len(), test_share);
    let (train, test) = groups.split_at(groups.len() - held_out);
    let rows = |groups: &[Vec<usize>]| {
        let mut rows = groups.concat();
        rows.sort_unstable();
        rows
    };
    Split {
        train: rows(train),
        test: rows(test),
    }
}

/// Returns `share` of `count`, rounded; the share is clamped to [0, 1].
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
fn share_of(count: usize, share: f64) -> usize {
    (count as f64 * share.clamp(0.0, 1.0)).round() as usize
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use healing_core::decision::Action;

    fn data(groups: &[&str]) -> Dataset {
        let mut data = Dataset::new(["x"]);
        for group in groups {
            data.push(&[0.0], Action::NoAction, group).unwrap();
        }
        data
    }

    #[test]
    fn group_split_keeps_each_group_on_one_side() {
        let names: Vec<String> = (0..50).map(|i| format!("g{}", i % 17)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let data = data(&names);
        for seed in 0..20 {
            let split = by_group(&data, 0.3, seed);
            assert_eq!(split.train.len() + split.test.len(), 50);
            let groups =
                |rows: &[usize]| -> HashSet<&str> { rows.iter().map(|row| names[*row]).collect() };
            assert!(groups(&split.train).is_disjoint(&groups(&split.test)));
            assert_eq!(groups(&split.test).len(), 5);
        }
    }

    #[test]
    fn time_split_holds_out_groups_that_started_last() {
        let split = by_time(&data(&["a", "b", "a", "c", "d", "b"]), 0.5);
        assert_eq!(split.test, [3, 4]);
        assert_eq!(split.train, [0, 1, 2, 5]);
    }

    #[test]
    fn time_split_holds_out_last_rows_without_groups() {
        let split = by_time(&data(&[""; 10]), 0.2);
        assert_eq!((split.train.len(), split.test), (8, vec![8, 9]));
    }
}
