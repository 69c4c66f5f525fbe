//! Splits that do not cheat: what belongs together stays on one side.
//!
//! Windows of one incident resemble each other, so a split by rows would show the learner the very
//! incidents that it is judged on. Where no groups are told, each row is one of its own.

use std::collections::BTreeMap;

use super::dataset::Dataset;
use healing_core::rng::Rng;

/// Row indices of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// To learn from.
    pub train: Vec<usize>,
    /// To judge on.
    pub test: Vec<usize>,
}

/// Holds out this share of the groups, chosen by the seed.
#[must_use]
pub fn by_group(data: &Dataset, test_share: f64, seed: u64) -> Split {
    let mut groups = in_order(data);
    Rng::new(seed).part(3).shuffle(&mut groups);
    hold_out_last(&groups, test_share)
}

/// Holds out the groups that began last. Rows must be in the order of time; what is still going on
/// when the test begins belongs to where it began.
#[must_use]
pub fn by_time(data: &Dataset, test_share: f64) -> Split {
    hold_out_last(&in_order(data), test_share)
}

/// Holds out every group for which this holds: whole situations, for instance.
#[must_use]
pub fn where_group(data: &Dataset, is_held_out: impl Fn(&str) -> bool) -> Split {
    let (test, train) = (0..data.len()).partition(|row| is_held_out(&data.groups()[*row]));
    Split { train, test }
}

/// The rows of each group, in the order in which the groups begin.
fn in_order(data: &Dataset) -> Vec<Vec<usize>> {
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

fn hold_out_last(groups: &[Vec<usize>], test_share: f64) -> Split {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let held_out = (groups.len() as f64 * test_share.clamp(0.0, 1.0)).round() as usize;
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
    fn no_group_is_on_both_sides() {
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
    fn the_last_to_begin_are_held_out() {
        let split = by_time(&data(&["a", "b", "a", "c", "d", "b"]), 0.5);
        assert_eq!(split.test, [3, 4]);
        assert_eq!(split.train, [0, 1, 2, 5]);
    }

    #[test]
    fn without_groups_the_last_rows_are_held_out() {
        let split = by_time(&data(&[""; 10]), 0.2);
        assert_eq!((split.train.len(), split.test), (8, vec![8, 9]));
    }
}
