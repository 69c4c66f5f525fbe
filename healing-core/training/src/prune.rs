//! Trees cut back to so many leaves, where that costs the fewest votes.
//!
//! A limit by larger leaves everywhere (`min_leaf`) would cut most where a tree knows most: one bushy
//! corner makes the whole tree coarse. Cut back, a tree keeps its fine leaves where they part many rows.
//! Two leaves of one split that vote alike become one leaf in any case: that changes no vote at all.

use healing_core::model::forest::{Node, Tree};

/// The same tree with at most `most_leaves` leaves (at least one).
#[must_use]
pub fn prune(tree: &Tree, most_leaves: usize) -> Tree {
    let mut tree = tree.clone();
    let mut leaves = tree.len() / 2 + 1;
    // Each round ends one split, so there are fewer rounds than nodes.
    while let Some((at, merged, lost)) = min_expected_cost(&tree) {
        if lost > 0 && leaves <= most_leaves.max(1) {
            break;
        }
        tree[at] = merged;
        leaves -= 1;
    }
    in_order(&tree)
}

/// The split between two leaves whose end changes the votes of the fewest training rows: where it is,
/// what replaces it, and how many rows then get another vote.
fn min_expected_cost(tree: &Tree) -> Option<(usize, Node, u32)> {
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
            // By position among equals, so that the same tree is always cut the same way.
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

/// What can be reached, parents before children.
fn in_order(tree: &Tree) -> Tree {
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
    use crate::fit::{Recipe, fit};
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
    fn leaves_that_vote_alike_are_one_and_then_the_smallest_goes() {
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
        let alike = [
            split(1.0, 1, 2),
            leaf(0, 50),
            split(2.0, 3, 4),
            leaf(1, 7),
            leaf(2, 43),
        ];
        assert_eq!(prune(&tree, 64), alike);
        assert_eq!(
            prune(&tree, 2),
            [split(1.0, 1, 2), leaf(0, 50), leaf(2, 50)]
        );
        assert_eq!(prune(&tree, 0).len(), 1);
    }

    #[test]
    fn only_votes_of_the_limit_are_lost() {
        let data = synthetic::generate(1000, 3).unwrap();
        let grown = Recipe {
            trees: 10,
            max_leaves: usize::MAX,
            ..Recipe::default()
        };
        let (forest, _) = fit(&data, &grown).unwrap();
        let pruned = |most: usize| {
            let trees = forest
                .trees()
                .iter()
                .map(|tree| prune(tree, most))
                .collect();
            Forest::new(forest.features(), trees).unwrap()
        };
        let (alike, limited) = (pruned(usize::MAX), pruned(8));
        assert!(alike.nodes() < forest.nodes());
        assert!(limited.most_leaves() <= 8);
        let mut same = 0;
        for row in data.rows() {
            assert_eq!(alike.traverse(row), forest.traverse(row));
            same += usize::from(limited.traverse(row).class() == forest.traverse(row).class());
        }
        assert!(
            same > 900,
            "{same} of 1000 are classified alike by 8 leaves"
        );
    }
}
