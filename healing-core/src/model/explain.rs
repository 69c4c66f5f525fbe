//! Explanation of votes: the contribution of each feature to the vote share of an action.
//!
//! The contributions are Shapley values by TreeSHAP (Lundberg et al. 2020, path-dependent form): the
//! average change of the share over all orders in which the features may become known. An unknown
//! feature sends a row down both sides of its splits, in proportion to the training rows on each side.
//! Base and contributions add up to the vote share.
//!
//! # Hazards
//!
//! An explanation takes several thousand times as long as a vote, so compute it only on demand.

mod tree_shap;

use std::fmt;

use serde::Serialize;

use super::Model;
use super::classifier::{Contributions, MissingFeature};
use crate::decision::Action;
use crate::features::{Feature, Features};
use tree_shap::contributions;

/// Explanation of the vote share of an action.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VoteExplanation {
    /// Explained action.
    pub action: Action,
    /// Share of the trees that vote for the action, 0–1.
    pub share: f64,
    /// Share while no feature is known, 0–1.
    pub base: f64,
    /// Contribution of each feature, the largest effect first.
    pub contributions: Vec<Contribution>,
}

/// Contribution of one feature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Contribution {
    /// The feature.
    pub feature: Feature,
    /// Value in the evaluated row: within the trained range, and neutral if the feature is absent.
    pub value: f32,
    /// Contribution to the share, −1 to 1; negative if it lowers the share.
    pub adds: f64,
}

impl Model {
    /// Explains the vote share of `action`.
    ///
    /// # Errors
    ///
    /// The first feature that is absent and has no neutral value.
    pub fn explain(
        &self,
        features: &Features,
        action: Action,
    ) -> Result<VoteExplanation, MissingFeature> {
        let row = self.row(features);
        let votes = self.evaluate(&row)?;
        let (base, adds) = contributions(self.forest(), &row.values, action);
        let mut contributions: Vec<Contribution> = self
            .features()
            .iter()
            .zip(row.values)
            .zip(adds)
            .map(|((&feature, value), adds)| Contribution {
                feature,
                value,
                adds,
            })
            .collect();
        contributions.sort_by(|a, b| b.adds.abs().total_cmp(&a.adds.abs()));
        let share = f64::from(votes.0[action as usize]) / f64::from(votes.trees().max(1));
        Ok(VoteExplanation {
            action,
            share,
            base,
            contributions,
        })
    }
}

impl From<VoteExplanation> for Contributions {
    fn from(explanation: VoteExplanation) -> Self {
        let features = explanation
            .contributions
            .iter()
            .map(|one| (one.feature, one.adds))
            .collect();
        Self {
            base: explanation.base,
            features,
        }
    }
}

/// For example: `97 % of the trees vote for restart_service (10 % before anything is known), for:
/// memory_time_to_limit 240 s (+61 %), …; against: uptime 900 s (-3 %)`
impl fmt::Display for VoteExplanation {
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
            let mut begun = false;
            let in_direction = |one: &&Contribution| percent(one.adds) * sign > 0.0;
            for one in contributions.iter().filter(in_direction).take(3) {
                f.write_str(if begun { ", " } else { word })?;
                begun = true;
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

#[cfg(test)]
mod tests;
