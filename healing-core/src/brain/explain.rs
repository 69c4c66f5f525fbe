//! Why the trees vote as they do: what each feature adds to the vote share of an action.
//!
//! These are Shapley values by TreeSHAP (Lundberg et al. 2020, the path-dependent form): what a
//! feature adds on average over all orders in which the figures may become known, where a figure not
//! yet known sends a row down both sides of its splits, in proportion to the training rows that went
//! there. Base and contributions add up to the vote share. On demand only: it takes some thousand
//! times as long as the vote.

use std::fmt;

use serde::Serialize;

use super::classifier::{Classifier as _, Contributions, Unusable};
use super::forest::{Forest, MAX_FEATURES, Node, Tree};
use super::model::Model;
use crate::decision::Action;
use crate::features::{Feature, Features};

/// Why a share of the trees votes for an action.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhyVotes {
    /// The action.
    pub action: Action,
    /// Share of the trees that vote for it, 0–1.
    pub share: f64,
    /// The share before any figure is known.
    pub base: f64,
    /// What each feature adds, the largest effect first.
    pub contributions: Vec<Contribution>,
}

/// What one feature adds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Contribution {
    /// The feature.
    pub feature: Feature,
    /// Its figure, as the forest saw it.
    pub value: f32,
    /// What it adds to the share; takes, if negative.
    pub adds: f64,
}

impl Model {
    /// Explains the votes for `action`.
    ///
    /// # Errors
    /// Where the model cannot judge.
    pub fn why(&self, features: &Features, action: Action) -> Result<WhyVotes, Unusable> {
        let row = self.row(features)?;
        let votes = self.votes(features)?;
        let (base, adds) = contributions(self.forest(), &row, action);
        let mut contributions: Vec<Contribution> = self
            .features()
            .iter()
            .zip(row)
            .zip(adds)
            .map(|((&feature, value), adds)| Contribution {
                feature,
                value,
                adds,
            })
            .collect();
        contributions.sort_by(|a, b| b.adds.abs().total_cmp(&a.adds.abs()));
        let share = f64::from(votes.0[action as usize]) / f64::from(votes.trees().max(1));
        Ok(WhyVotes {
            action,
            share,
            base,
            contributions,
        })
    }
}

impl From<WhyVotes> for Contributions {
    fn from(why: WhyVotes) -> Self {
        let features = why
            .contributions
            .iter()
            .map(|one| (one.feature, one.adds))
            .collect();
        Self {
            base: why.base,
            features,
        }
    }
}

/// `97 % of the trees vote for restart_service (10 % before anything is known), for:
/// memory_time_to_limit 240 s (+61 %), …; against: uptime 900 s (-3 %)`
impl fmt::Display for WhyVotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            action,
            share,
            base,
            contributions,
        } = self;
        let percent = |share: f64| (share * 100.0).round() + 0.0; // never -0
        write!(
            f,
            "{} % of the trees vote for {} ({} % before anything is known)",
            percent(*share),
            action.as_str(),
            percent(*base)
        )?;
        let mut list = |word: &str, sign: f64| -> fmt::Result {
            let mut named = false;
            let speaking = |one: &&Contribution| percent(one.adds) * sign > 0.0;
            for one in contributions.iter().filter(speaking).take(3) {
                f.write_str(if named { ", " } else { word })?;
                named = true;
                let (value, unit) = (one.value, one.feature.spec().unit);
                let rounded = (f64::from(value) * 1000.0).round() / 1000.0 + 0.0;
                write!(
                    f,
                    "{} {rounded} {unit} ({:+} %)",
                    one.feature,
                    percent(one.adds)
                )?;
            }
            Ok(())
        };
        list(", for: ", 1.0)?;
        list("; against: ", -1.0)
    }
}

/// Base share of `action`, and what each figure of the row adds to it.
fn contributions(forest: &Forest, row: &[f32], action: Action) -> (f64, [f64; MAX_FEATURES]) {
    #[allow(clippy::cast_precision_loss)] // at most 4096
    let trees = forest.trees().len() as f64;
    let (mut base, mut adds) = (0.0, [0.0; MAX_FEATURES]);
    for tree in forest.trees() {
        let covers = covers(tree);
        base += expected(tree, &covers, action) / trees;
        let mut walk = Walk {
            tree,
            covers: &covers,
            row,
            class: action as u8,
            adds: &mut adds,
        };
        walk.descend(
            0,
            &[],
            Step {
                feature: ROOT,
                zero: 1.0,
                one: 1.0,
                weight: 0.0,
            },
        );
    }
    (base, adds.map(|sum| sum / trees))
}

/// Training rows that passed each node. A leaf that claims none counts as one: shares stay numbers.
fn covers(tree: &Tree) -> Vec<f64> {
    let mut covers = vec![0.0; tree.len()];
    for (at, node) in tree.iter().enumerate().rev() {
        covers[at] = match *node {
            Node::Leaf { cover, .. } => f64::from(cover.max(1)),
            // Children come after their parent.
            Node::Split { below, above, .. } => covers[below as usize] + covers[above as usize],
        };
    }
    covers
}

/// Share of the training rows whose leaf votes for `action`.
fn expected(tree: &Tree, covers: &[f64], action: Action) -> f64 {
    let voting = tree
        .iter()
        .zip(covers)
        .filter_map(|(node, cover)| match *node {
            Node::Leaf { class, .. } if class == action as u8 => Some(cover),
            _ => None,
        });
    voting.sum::<f64>() / covers[0]
}

/// No feature: where a path begins.
const ROOT: usize = usize::MAX;

/// One feature on the path from the root.
#[derive(Debug, Clone, Copy)]
struct Step {
    feature: usize,
    /// Share of rows that go this way while the feature is not known.
    zero: f64,
    /// 1 if this row goes this way, else 0.
    one: f64,
    /// Weight of the orders in which so many of the path's features are known.
    weight: f64,
}

/// One tree for one row.
struct Walk<'a> {
    tree: &'a Tree,
    covers: &'a [f64],
    row: &'a [f32],
    class: u8,
    adds: &'a mut [f64; MAX_FEATURES],
}

impl Walk<'_> {
    /// Recursive, as deep as the tree: at most `MAX_DEPTH`.
    fn descend(&mut self, at: usize, parents: &[Step], step: Step) {
        let mut path = Vec::with_capacity(parents.len() + 2);
        path.extend_from_slice(parents);
        extend(&mut path, step);
        match self.tree[at] {
            Node::Leaf { class, .. } => {
                if class == self.class {
                    for index in 1..path.len() {
                        let Step {
                            feature, zero, one, ..
                        } = path[index];
                        self.adds[feature] += unwound_sum(&path, index) * (one - zero);
                    }
                }
            }
            Node::Split {
                feature,
                threshold,
                below,
                above,
            } => {
                let feature = usize::from(feature);
                let goes_below = self.row[feature] <= threshold;
                // A feature that was met before is met once: its earlier share is part of this one.
                let (mut zero, mut one) = (1.0, 1.0);
                if let Some(index) = path.iter().position(|step| step.feature == feature) {
                    (zero, one) = (path[index].zero, path[index].one);
                    unwind(&mut path, index);
                }
                for (child, here) in [(below as usize, goes_below), (above as usize, !goes_below)] {
                    let zero = zero * self.covers[child] / self.covers[at];
                    let one = if here { one } else { 0.0 };
                    self.descend(
                        child,
                        &path,
                        Step {
                            feature,
                            zero,
                            one,
                            weight: 0.0,
                        },
                    );
                }
            }
        }
    }
}

#[allow(clippy::cast_precision_loss)] // at most MAX_FEATURES
fn extend(path: &mut Vec<Step>, step: Step) {
    let depth = path.len();
    path.push(Step {
        weight: if depth == 0 { 1.0 } else { 0.0 },
        ..step
    });
    let all = (depth + 1) as f64;
    for at in (0..depth).rev() {
        let weight = path[at].weight;
        path[at + 1].weight += step.one * weight * (at + 1) as f64 / all;
        path[at].weight = step.zero * weight * (depth - at) as f64 / all;
    }
}

/// Takes the step at `index` out again, as if it had never been extended.
#[allow(clippy::cast_precision_loss)] // at most MAX_FEATURES
fn unwind(path: &mut Vec<Step>, index: usize) {
    let depth = path.len() - 1;
    let all = (depth + 1) as f64;
    let Step { zero, one, .. } = path[index];
    let mut next = path[depth].weight;
    for at in (0..depth).rev() {
        let weight = path[at].weight;
        path[at].weight = if one > 0.0 {
            let known = next * all / ((at + 1) as f64 * one);
            next = weight - known * zero * (depth - at) as f64 / all;
            known
        } else {
            weight * all / (zero * (depth - at) as f64)
        };
    }
    for at in index..depth {
        let Step {
            feature, zero, one, ..
        } = path[at + 1];
        path[at] = Step {
            feature,
            zero,
            one,
            weight: path[at].weight,
        };
    }
    path.pop();
}

/// The sum of the weights that [`unwind`] would leave.
#[allow(clippy::cast_precision_loss)] // at most MAX_FEATURES
fn unwound_sum(path: &[Step], index: usize) -> f64 {
    let depth = path.len() - 1;
    let all = (depth + 1) as f64;
    let Step { zero, one, .. } = path[index];
    let (mut next, mut total) = (path[depth].weight, 0.0);
    for at in (0..depth).rev() {
        total += if one > 0.0 {
            let known = next * all / ((at + 1) as f64 * one);
            next = path[at].weight - known * zero * (depth - at) as f64 / all;
            known
        } else {
            path[at].weight * all / (zero * (depth - at) as f64)
        };
    }
    total
}

#[cfg(all(test, feature = "train"))]
mod tests;
