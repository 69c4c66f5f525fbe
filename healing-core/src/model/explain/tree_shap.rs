//! TreeSHAP: Shapley values of one tree in polynomial time (Lundberg et al. 2020, algorithm 2).

use crate::decision::Action;
use crate::model::forest::{Forest, MAX_FEATURES, Node, Tree};

/// Returns the base share of `action` and the contribution of each value of the row.
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
        let mut traversal = Traversal {
            tree,
            covers: &covers,
            row,
            class: action as u8,
            adds: &mut adds,
        };
        traversal.descend(
            0,
            &[],
            PathElement {
                feature: ROOT,
                zero_fraction: 1.0,
                one_fraction: 1.0,
                weight: 0.0,
            },
        );
    }
    (base, adds.map(|sum| sum / trees))
}

/// Returns the number of training rows that passed each node. A leaf without rows counts as one, so
/// that no share is 0 / 0.
pub(super) fn covers(tree: &Tree) -> Vec<f64> {
    let mut covers = vec![0.0; tree.len()];
    for (at, node) in tree.iter().enumerate().rev() {
        covers[at] = match *node {
            Node::Leaf { cover, .. } => f64::from(cover.max(1)),
            // Children come after their parent, so their covers are known.
            Node::Split { below, above, .. } => covers[below as usize] + covers[above as usize],
        };
    }
    covers
}

/// Returns the share of the training rows whose leaf votes for `action`.
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

/// Feature of the first path element, which is not a split.
const ROOT: usize = usize::MAX;

/// One feature on the path from the root; the fields are those of the algorithm in the paper.
#[derive(Debug, Clone, Copy)]
struct PathElement {
    feature: usize,
    /// Share of the training rows that go this way, for an unknown feature.
    zero_fraction: f64,
    /// 1 if this row goes this way, for a known feature; else 0.
    one_fraction: f64,
    /// Weight of the orders with a given number of known features on the path.
    weight: f64,
}

/// Traversal of one tree for one row.
struct Traversal<'a> {
    tree: &'a Tree,
    covers: &'a [f64],
    row: &'a [f32],
    class: u8,
    adds: &'a mut [f64; MAX_FEATURES],
}

impl Traversal<'_> {
    /// Adds the contributions of the subtree at `at`. Recurses at most `MAX_DEPTH` deep.
    fn descend(&mut self, at: usize, parents: &[PathElement], element: PathElement) {
        let mut path = Vec::with_capacity(parents.len() + 2);
        path.extend_from_slice(parents);
        extend_path(&mut path, element);
        match self.tree[at] {
            Node::Leaf { class, .. } => {
                if class == self.class {
                    for index in 1..path.len() {
                        let PathElement {
                            feature,
                            zero_fraction,
                            one_fraction,
                            ..
                        } = path[index];
                        self.adds[feature] +=
                            unwound_path_sum(&path, index) * (one_fraction - zero_fraction);
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
                // A feature counts once per path, so its earlier element is merged into the later one.
                let (mut zero_fraction, mut one_fraction) = (1.0, 1.0);
                if let Some(index) = path.iter().position(|element| element.feature == feature) {
                    (zero_fraction, one_fraction) =
                        (path[index].zero_fraction, path[index].one_fraction);
                    unwind_path(&mut path, index);
                }
                for (child, here) in [(below as usize, goes_below), (above as usize, !goes_below)] {
                    let zero_fraction = zero_fraction * self.covers[child] / self.covers[at];
                    let one_fraction = if here { one_fraction } else { 0.0 };
                    self.descend(
                        child,
                        &path,
                        PathElement {
                            feature,
                            zero_fraction,
                            one_fraction,
                            weight: 0.0,
                        },
                    );
                }
            }
        }
    }
}

/// Appends an element and updates the weights.
#[allow(clippy::cast_precision_loss)] // at most MAX_FEATURES
fn extend_path(path: &mut Vec<PathElement>, element: PathElement) {
    let depth = path.len();
    path.push(PathElement {
        weight: if depth == 0 { 1.0 } else { 0.0 },
        ..element
    });
    let all = (depth + 1) as f64;
    for at in (0..depth).rev() {
        let weight = path[at].weight;
        path[at + 1].weight += element.one_fraction * weight * (at + 1) as f64 / all;
        path[at].weight = element.zero_fraction * weight * (depth - at) as f64 / all;
    }
}

/// Removes the element at `index`. It is the inverse of [`extend_path`].
#[allow(clippy::cast_precision_loss)] // at most MAX_FEATURES
fn unwind_path(path: &mut Vec<PathElement>, index: usize) {
    let depth = path.len() - 1;
    let all = (depth + 1) as f64;
    let PathElement {
        zero_fraction,
        one_fraction,
        ..
    } = path[index];
    let mut next = path[depth].weight;
    for at in (0..depth).rev() {
        let weight = path[at].weight;
        path[at].weight = if one_fraction > 0.0 {
            let known = next * all / ((at + 1) as f64 * one_fraction);
            next = weight - known * zero_fraction * (depth - at) as f64 / all;
            known
        } else {
            weight * all / (zero_fraction * (depth - at) as f64)
        };
    }
    for at in index..depth {
        let PathElement {
            feature,
            zero_fraction,
            one_fraction,
            ..
        } = path[at + 1];
        path[at] = PathElement {
            feature,
            zero_fraction,
            one_fraction,
            weight: path[at].weight,
        };
    }
    path.pop();
}

/// Returns the sum of the weights that [`unwind_path`] would leave.
#[allow(clippy::cast_precision_loss)] // at most MAX_FEATURES
fn unwound_path_sum(path: &[PathElement], index: usize) -> f64 {
    let depth = path.len() - 1;
    let all = (depth + 1) as f64;
    let PathElement {
        zero_fraction,
        one_fraction,
        ..
    } = path[index];
    let (mut next, mut total) = (path[depth].weight, 0.0);
    for at in (0..depth).rev() {
        total += if one_fraction > 0.0 {
            let known = next * all / ((at + 1) as f64 * one_fraction);
            next = path[at].weight - known * zero_fraction * (depth - at) as f64 / all;
            known
        } else {
            path[at].weight * all / (zero_fraction * (depth - at) as f64)
        };
    }
    total
}
