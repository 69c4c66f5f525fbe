//! Assessment: the impairment of one poll, with the evidence and the vetoes that follow from it.

use serde::{Deserialize, Serialize};

use crate::reason::{Reason, Vetoes};

/// Impairment of the app at one poll. Rates are per second, over the window of the policy; absent figures
/// are unknown.
///
/// # Hazards
///
/// The ratio is a *lower bound* of what clients feel, and 0 is no proof that all is well. Requests that wait
/// unseen, that a client's own pool holds back, or whose client has left behind a proxy that does not say so, are
/// not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Assessment {
    /// Share of the demand that is not met, 0–1. Absent while the app has served for less than a window,
    /// and where there is too little traffic to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// Response heads without an error, less those that certainly took longer than the declared time-out of the
    /// clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goodput: Option<f64>,
    /// Requests that the app has proved it can serve, of those that are asked of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demand: Option<f64>,
    /// Highest sustained goodput of this app so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proven_capacity: Option<f64>,
    /// Median of the requests begun in the last ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual_arrivals: Option<f64>,
    /// `true` if requests wait in front of the app, where its layer cannot count them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unseen_demand: bool,
    /// `true` while the effect of a restart for an impairment is not known yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
    /// Evidence for a soft heal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft: Option<Reason>,
    /// Evidence for a restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard: Option<Reason>,
    /// Causes that a treatment cannot change: `cpu_saturated`, `starved`, `saturated`, and
    /// `restart_does_not_help` against a restart alone.
    #[serde(skip_serializing_if = "is_empty")]
    pub vetoes: Vetoes,
}

/// Returns `true` if the set is empty, so that it is omitted.
#[allow(clippy::trivially_copy_pass_by_ref)] // the signature that serde calls
fn is_empty(vetoes: &Vetoes) -> bool {
    vetoes.is_empty()
}

// === impl Assessment ===

impl Assessment {
    /// Returns the figures without evidence, for a poll that says nothing about the app.
    pub(super) fn without_evidence(self) -> Self {
        Self {
            soft: None,
            hard: None,
            ..self
        }
    }
}
