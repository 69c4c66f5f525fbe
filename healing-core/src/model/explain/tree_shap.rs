//! TreeSHAP: Shapley values of one tree in polynomial time (Lundberg et al. 2020, algorithm 2).

use crate::decision::Action;
use crate::model::forest::{Forest, MAX_FEATURES, Node, Tree};

/// Base share of `action`, and what each figure of the row adds to it.
pub(super) fn contributions(
    forest: &Forest,
    row: &[f32],
    action: Action,
) -> (f64, [f64; MAX_FEATURES]) {
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
pub(super) fn covers(tree: &Tree) -> Vec<f64> {
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
