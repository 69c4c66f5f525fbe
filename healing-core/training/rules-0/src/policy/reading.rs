//! Reading: everything that one poll says about the app, computed once per step.

use crate::decision::{Lane, Reason};
use crate::features::Features;

/// Output of the [tracker](super::tracker) for one poll.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // independent facts, each with its own consumer
pub(crate) struct Reading {
    pub(crate) lane: Lane,
    /// Set if the answer is out of order: it says nothing about the app.
    pub(crate) stale: bool,
    /// Set if another process of the app answers than before.
    pub(crate) restarted: bool,
    /// Set if this instance has been ready.
    pub(crate) ready: bool,
    /// Set if this instance has been ready and its startup grace is over.
    pub(crate) mature: bool,
    /// Set if this instance has been available since its start.
    pub(crate) available: bool,
    /// Set if the app drains or is condemned.
    pub(crate) draining: bool,
    /// Set if the app answered, has been ready, and shows no symptom.
    pub(crate) healthy: bool,
    /// Set if it has been healthy for [`reset_after`](crate::config::OutcomeConfig::reset_after).
    pub(crate) long_healthy: bool,
    /// Set if the latest answer shows a symptom, sustained or not.
    pub(crate) symptomatic: bool,
    /// Sustained reason for a soft heal of an app that answers.
    pub(crate) soft_symptom: Option<Reason>,
    /// Set if the error ratio has been high for long enough for a hard heal.
    pub(crate) ratio_sustained: bool,
    /// Sustained reason beside errors for a hard heal of an app that answers.
    pub(crate) hard_symptom: Option<Reason>,
    /// Sustained reason for a hard heal of an app that does not answer.
    pub(crate) unresponsive: Option<Reason>,
    /// Errors per request of the latest answer, where there were enough requests.
    pub(crate) error_ratio: Option<f64>,
    /// Set if a limit will be hit.
    pub(crate) limit_forecast: bool,
    /// Set if that has been forecast in as many polls in a row as a hard heal needs.
    pub(crate) limit_sustained: bool,
    /// Set if the limit is too near to wait for low load.
    pub(crate) limit_urgent: bool,
    pub(crate) low_load: bool,
    pub(crate) overloaded: bool,
    pub(crate) dependency_down: bool,
    /// Set if a dependency has not been checked since the symptom's onset, and may be soon.
    pub(crate) awaiting_checks: bool,
    pub(crate) features: Features,
}
