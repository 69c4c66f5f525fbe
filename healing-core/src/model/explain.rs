//! Why the trees vote as they do: what each feature adds to the vote share of an action.
//!
//! These are Shapley values by TreeSHAP (Lundberg et al. 2020, the path-dependent form): what a
//! feature adds on average over all orders in which the figures may become known, where a figure not
//! yet known sends a row down both sides of its splits, in proportion to the training rows that went
//! there. Base and contributions add up to the vote share. On demand only: it takes some thousand
//! times as long as the vote.

mod tree_shap;

use std::fmt;

use serde::Serialize;

use super::Model;
use super::classifier::{CannotClassify, Classifier as _, Contributions};
use crate::decision::Action;
use crate::features::{Feature, Features};
use tree_shap::contributions;

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
    pub fn why(&self, features: &Features, action: Action) -> Result<WhyVotes, CannotClassify> {
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

#[cfg(test)]
mod tests;
