//! Splits that do not cheat: what belongs together stays on one side.
//!
//! Windows of one incident resemble each other, so a split by rows would show the learner the very
//! incidents that it is judged on.

use std::collections::HashSet;

use super::dataset::Dataset;
use super::rng::Rng;

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
    hold_out_last(data, &groups, test_share)
}

/// Holds out the groups that began last. Rows must be in the order of time; what is still going on
/// when the test begins belongs to where it began.
#[must_use]
pub fn by_time(data: &Dataset, test_share: f64) -> Split {
    hold_out_last(data, &in_order(data), test_share)
}

/// Holds out every group for which this holds: whole situations, for instance.
#[must_use]
pub fn where_group(data: &Dataset, is_held_out: impl Fn(&str) -> bool) -> Split {
    let (test, train) = (0..data.len()).partition(|row| is_held_out(&data.groups()[*row]));
    Split { train, test }
}

fn in_order(data: &Dataset) -> Vec<&str> {
    let mut seen = HashSet::new();
    let groups = data.groups().iter().map(String::as_str);
    groups.filter(|group| seen.insert(*group)).collect()
}

fn hold_out_last(data: &Dataset, groups: &[&str], test_share: f64) -> Split {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let held_out = (groups.len() as f64 * test_share.clamp(0.0, 1.0)).round() as usize;
    let last: HashSet<&str> = groups[groups.len() - held_out..].iter().copied().collect();
    where_group(data, |group| last.contains(group))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Action;

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
}
