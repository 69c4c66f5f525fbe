//! smartcore's forest, read and written through serde: the only way to its private trees.
//!
//! Hazard: smartcore 0.7 trusts what it deserialises. A bad child index panics in `predict`, a
//! cycle hangs. So [`to_smartcore`] is only given a [`Forest`], which has been checked as trees, and
//! [`from_smartcore`] checks what it reads the same way.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smartcore::ensemble::random_forest_classifier::RandomForestClassifier;
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::TrainingError;
use healing_core::model::forest::{Forest, Node, round_down};

/// The learner's forest: rows of f64, classes as integers.
pub type SmartcoreForest = RandomForestClassifier<f64, u32, DenseMatrix<f64>, Vec<u32>>;

/// The fields of smartcore's forest that matter to a prediction.
#[derive(Deserialize)]
struct Trees {
    trees: Vec<TreeFields>,
    classes: Vec<u32>,
}

#[derive(Deserialize)]
struct TreeFields {
    nodes: Vec<NodeFields>,
    num_features: usize,
}

#[derive(Serialize, Deserialize)]
struct NodeFields {
    output: usize,
    n_node_samples: usize,
    split_feature: usize,
    split_value: Option<f64>,
    split_score: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
    impurity: Option<f64>,
}

/// Extracts the trees. Each split's threshold goes through `threshold(feature, value)`.
///
/// # Errors
/// Where the forest is not one of trees over classes 0, 1, 2.
pub fn from_smartcore(
    forest: &SmartcoreForest,
    threshold: impl Fn(usize, f64) -> f32,
) -> Result<Forest, TrainingError> {
    let fields: Trees = serde_json::to_value(forest)
        .and_then(serde_json::from_value)
        .map_err(|error| TrainingError::Smartcore(format!("its forest cannot be read: {error}")))?;
    let features = fields.trees.first().map_or(0, |tree| tree.num_features);
    let trees = fields
        .trees
        .iter()
        .map(|tree| {
            tree.nodes
                .iter()
                .map(|node| read(node, &fields.classes, &threshold))
                .collect()
        })
        .collect::<Result<_, _>>()?;
    Ok(Forest::new(features, trees)?)
}

/// Extracts the trees with their own thresholds, rounded down to f32.
///
/// # Errors
/// As [`from_smartcore`].
pub fn from_foreign(forest: &SmartcoreForest) -> Result<Forest, TrainingError> {
    from_smartcore(forest, |_, value| round_down(value))
}

fn read(
    node: &NodeFields,
    classes: &[u32],
    threshold: &impl Fn(usize, f64) -> f32,
) -> Result<Node, TrainingError> {
    let narrow = || TrainingError::Smartcore("a node's number is too large".to_owned());
    // As in smartcore's own walk: a node without a first child is a leaf, whatever else it says
    // (depth limits leave split values behind that are never used).
    let Some(below) = node.true_child else {
        let class = classes.get(node.output).copied().ok_or_else(narrow)?;
        return Ok(Node::Leaf {
            class: u8::try_from(class).map_err(|_| narrow())?,
            cover: u32::try_from(node.n_node_samples).map_err(|_| narrow())?,
        });
    };
    let index = |child: usize| u32::try_from(child).map_err(|_| narrow());
    Ok(Node::Split {
        feature: u8::try_from(node.split_feature).map_err(|_| narrow())?,
        threshold: threshold(node.split_feature, node.split_value.unwrap_or(f64::NAN)),
        below: index(below)?,
        above: index(node.false_child.unwrap_or(usize::MAX))?,
    })
}

/// The same forest as smartcore's type, thresholds widened to f64: what benches and tests compare
/// with.
///
/// # Errors
/// If smartcore's serialised form is not the one this was written for.
pub fn to_smartcore(forest: &Forest) -> Result<SmartcoreForest, TrainingError> {
    to_smartcore_with(forest, &[0, 1, 2], |_, _, threshold| f64::from(threshold))
}

/// As [`to_smartcore`], with thresholds of the caller's choice by tree, node and own threshold.
///
/// # Errors
/// As [`to_smartcore`].
pub fn to_smartcore_with(
    forest: &Forest,
    classes: &[u32],
    threshold: impl Fn(usize, usize, f32) -> f64,
) -> Result<SmartcoreForest, TrainingError> {
    let trees: Vec<Value> = forest
        .trees()
        .iter()
        .enumerate()
        .map(|(index, tree)| {
            let nodes: Vec<NodeFields> = tree
                .iter()
                .enumerate()
                .map(|(at, node)| write(node, |own| threshold(index, at, own)))
                .collect();
            json!({
                "nodes": nodes,
                "parameters": null,
                "num_classes": classes.len(),
                "classes": classes,
                "depth": 0,
                "num_features": forest.features(),
                "_phantom_tx": null,
                "_phantom_x": null,
                "_phantom_y": null,
            })
        })
        .collect();
    serde_json::from_value(json!({ "trees": trees, "classes": classes, "samples": null }))
        .map_err(|error| TrainingError::Smartcore(format!("its forest cannot be made: {error}")))
}

fn write(node: &Node, threshold: impl Fn(f32) -> f64) -> NodeFields {
    let empty = NodeFields {
        output: 0,
        n_node_samples: 0,
        split_feature: 0,
        split_value: None,
        split_score: None,
        true_child: None,
        false_child: None,
        impurity: None,
    };
    match *node {
        Node::Leaf { class, cover } => NodeFields {
            output: class.into(),
            n_node_samples: cover as usize,
            ..empty
        },
        Node::Split {
            feature,
            threshold: own,
            below,
            above,
        } => NodeFields {
            split_feature: feature.into(),
            split_value: Some(threshold(own)),
            true_child: Some(below as usize),
            false_child: Some(above as usize),
            ..empty
        },
    }
}
