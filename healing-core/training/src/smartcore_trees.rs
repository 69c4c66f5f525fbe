//! Conversion from and to smartcore's forest through serde, the only access to its private trees.
//!
//! # Hazards
//!
//! - smartcore 0.7 does not validate the forest that it deserialises. With an invalid child index `predict`
//!   panics, and with a cycle it does not terminate. [`to_smartcore`] therefore takes a validated
//!   [`Forest`], and [`from_smartcore`] returns one.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smartcore::ensemble::random_forest_classifier::RandomForestClassifier;
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::TrainingError;
use healing_core::model::forest::{Forest, Node, round_down};

/// Forest of smartcore, with rows of f64 and classes as integers.
pub type SmartcoreForest = RandomForestClassifier<f64, u32, DenseMatrix<f64>, Vec<u32>>;

/// Fields of smartcore's forest that determine a prediction.
#[derive(Deserialize)]
struct ForestFields {
    trees: Vec<TreeFields>,
    classes: Vec<u32>,
}

/// Fields of smartcore's tree that determine a prediction.
#[derive(Deserialize)]
struct TreeFields {
    nodes: Vec<NodeFields>,
    num_features: usize,
}

/// Fields of smartcore's node.
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

/// Extracts the trees, with each threshold mapped by `threshold(feature, value)`.
///
/// # Errors
///
/// If the forest is invalid or has other classes than 0, 1 and 2.
pub fn from_smartcore(
    forest: &SmartcoreForest,
    threshold: impl Fn(usize, f64) -> f32,
) -> Result<Forest, TrainingError> {
    let fields: ForestFields = serde_json::to_value(forest)
        .and_then(serde_json::from_value)
        .map_err(|error| TrainingError::Smartcore(format!("cannot read its forest: {error}")))?;
    let features = fields.trees.first().map_or(0, |tree| tree.num_features);
    let trees = fields
        .trees
        .iter()
        .map(|tree| {
            tree.nodes
                .iter()
                .map(|node| read_node(node, &fields.classes, &threshold))
                .collect()
        })
        .collect::<Result<_, _>>()?;
    Ok(Forest::new(features, trees)?)
}

/// Extracts the trees with their own thresholds, rounded down to f32.
///
/// # Errors
///
/// The same as for [`from_smartcore`].
pub fn from_foreign(forest: &SmartcoreForest) -> Result<Forest, TrainingError> {
    from_smartcore(forest, |_, value| round_down(value))
}

/// Converts a node from smartcore's form.
fn read_node(
    node: &NodeFields,
    classes: &[u32],
    threshold: &impl Fn(usize, f64) -> f32,
) -> Result<Node, TrainingError> {
    let too_large = || TrainingError::Smartcore("a node's number is too large".to_owned());
    // As in smartcore's own traversal, a node without a first child is a leaf regardless of its other
    // fields. Nodes at the depth limit keep split values that are not used.
    let Some(below) = node.true_child else {
        let class = classes.get(node.output).copied().ok_or_else(too_large)?;
        return Ok(Node::Leaf {
            class: u8::try_from(class).map_err(|_| too_large())?,
            cover: u32::try_from(node.n_node_samples).map_err(|_| too_large())?,
        });
    };
    let index = |child: usize| u32::try_from(child).map_err(|_| too_large());
    Ok(Node::Split {
        feature: u8::try_from(node.split_feature).map_err(|_| too_large())?,
        threshold: threshold(node.split_feature, node.split_value.unwrap_or(f64::NAN)),
        below: index(below)?,
        above: index(node.false_child.unwrap_or(usize::MAX))?,
    })
}

/// Converts to smartcore's type, with thresholds widened to f64, for comparison in benches and tests.
///
/// # Errors
///
/// If smartcore's serialised form differs from that of version 0.7.
pub fn to_smartcore(forest: &Forest) -> Result<SmartcoreForest, TrainingError> {
    to_smartcore_with(forest, &[0, 1, 2], |_, _, threshold| f64::from(threshold))
}

/// Converts to smartcore's type, with thresholds mapped by `threshold(tree, node, value)`.
///
/// # Errors
///
/// The same as for [`to_smartcore`].
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
                .map(|(at, node)| write_node(node, |own| threshold(index, at, own)))
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
        .map_err(|error| TrainingError::Smartcore(format!("cannot build its forest: {error}")))
}

/// Converts a node to smartcore's form.
fn write_node(node: &Node, threshold: impl Fn(f32) -> f64) -> NodeFields {
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
