//! Weakest-link pruning of a tree to a maximum number of leaves.
//!
//! A larger minimum leaf size (`min_leaf`) would also limit the leaves, but it makes the whole tree coarser.
//! Pruning keeps small leaves that separate many rows. Two leaves of one split that vote for the same class
//! are always merged, because that does not change any vote.

use healing_core::model::forest::{Node, Tree};

/// Returns the tree pruned to at most `max_leaves` leaves (at least one).
#[must_use]
pub fn prune(tree: &Tree, max_leaves: usize) -> Tree {
    let mut tree = tree.clone();
    let mut leaves = tree.len() / 2 + 1;
    // The loop terminates, because each round removes one split.
    while let Some((at, merged, lost)) = weakest_link(&tree) {
        if lost > 0 && leaves <= max_leaves.max(1) {
            break;
        }
        tree[at] = merged;
        leaves -= 1;
    }
    compact(&tree)
}

/// Returns the split between two leaves whose removal changes the votes of the fewest training rows, as
/// its index, the leaf that replaces it, and the number of those rows.
fn weakest_link(tree: &Tree) -> Option<(usize, Node, u32)> {
    let mut best: Option<(usize, Node, u32)> = None;
    let mut pending = vec![0];
    while let Some(at) = pending.pop() {
        let Node::Split { below, above, .. } = tree[at] else {
            continue;
        };
        let (below, above) = (below as usize, above as usize);
        if let (
            Node::Leaf { class, cover },
            Node::Leaf {
                class: other,
                cover: others,
            },
        ) = (tree[below], tree[above])
        {
            let lost = if class == other { 0 } else { cover.min(others) };
            // Ties go to the lowest index, so that pruning is deterministic.
            if best.is_none_or(|(b, _, least)| (lost, at) < (least, b)) {
                let class = if others > cover { other } else { class };
                let cover = cover.saturating_add(others);
                best = Some((at, Node::Leaf { class, cover }, lost));
            }
        } else {
            pending.extend([below, above]);
        }
    }
    best
}

/// Returns the reachable nodes, parents before children.
fn compact(tree: &Tree) -> Tree {
    let mut kept = vec![tree[0]];
    let mut at = 0;
    while at < kept.len() {
        if let Node::Split {
            feature,
            threshold,
            below,
            above,
        } = kept[at]
        {
            #[allow(clippy::cast_possible_truncation)] // no more nodes than before
            let next = kept.len() as u32;
            kept.extend([tree[below as usize], tree[above as usize]]);
            kept[at] = Node::Split {
                feature,
                threshold,
                below: next,
                above: next + 1,
            };
        }
        at += 1;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::fit;
    use crate::forest_params::ForestParams;
    use crate::synthetic;
    use healing_core::model::forest::Forest;

    fn split(threshold: f32, below: u32, above: u32) -> Node {
        Node::Split {
            feature: 0,
            threshold,
            below,
            above,
        }
    }

    fn leaf(class: u8, cover: u32) -> Node {
        Node::Leaf { class, cover }
    }

    #[test]
    fn prune_merges_equal_leaves_then_the_smallest() {
        // ≤ 1: none; ≤ 2: reset; ≤ 3: restart (few rows); else restart twice.
        let tree = vec![
            split(1.0, 1, 2),
            leaf(0, 50),
            split(2.0, 3, 4),
            leaf(1, 7),
            split(3.0, 5, 6),
            leaf(2, 3),
            leaf(2, 40),
        ];
        let merged = [
            split(1.0, 1, 2),
            leaf(0, 50),
            split(2.0, 3, 4),
            leaf(1, 7),
            leaf(2, 43),
        ];
        assert_eq!(prune(&tree, 64), merged);
        assert_eq!(
            prune(&tree, 2),
            [split(1.0, 1, 2), leaf(0, 50), leaf(2, 50)]
        );
        assert_eq!(prune(&tree, 0).len(), 1);
    }

    #[test]
    fn prune_changes_votes_only_by_leaf_limit() {
        let data = synthetic::generate(1000, 3).unwrap();
        let grown = ForestParams {
            trees: 10,
            max_leaves: usize::MAX,
            ..ForestParams::default()
        };
        let (forest, _) = fit(&data, &grown).unwrap();
        let pruned = |max_leaves: usize| {
            let trees = forest
                .trees()
                .iter()
                .map(|tree| prune(tree, max_leaves))
                .collect();
            Forest::new(forest.features(), trees).unwrap()
        };
        let (merged, limited) = (pruned(usize::MAX), pruned(8));
        assert!(merged.nodes() < forest.nodes());
        assert!(limited.most_leaves() <= 8);
        let mut same = 0;
        for row in data.rows() {
            assert_eq!(merged.traverse(row), forest.traverse(row));
            same += usize::from(limited.traverse(row).class() == forest.traverse(row).class());
        }
        assert!(
            same > 900,
            "{same} of 1000 rows keep their class with 8 leaves"
        );
    }
}
