//! Reading: everything that is known about the app after one poll, computed once per step.

use crate::decision::{Lane, Reason};
use crate::features::Features;
use crate::impairment::Assessment;

/// Output of the tracker for one poll.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // independent facts, each with its own consumer
pub(crate) struct Reading {
    pub(crate) lane: Lane,
    /// Set if the report is out of order and therefore ignored.
    pub(crate) stale: bool,
    /// Set if the report comes from another process of the app than the one before.
    pub(crate) restarted: bool,
    /// Set if this instance has been ready, and does not declare that it is starting.
    pub(crate) has_been_ready: bool,
    /// Set if this instance has been ready and its startup grace is over.
    pub(crate) mature: bool,
    /// Set if this instance has served a request of the doctor at its front door, or none is probed.
    pub(crate) has_served: bool,
    /// Set if the front door refused or timed out in this poll.
    pub(crate) front_door_fails: bool,
    /// Set if this instance has been available at some point since it started.
    pub(crate) available: bool,
    /// Set if the version of the app is known, so that its capacity was not proved by another one.
    pub(crate) version_known: bool,
    /// Set if the app is draining or condemned.
    pub(crate) draining: bool,
    /// Set if the app sent a report, has been ready, and shows no symptom.
    pub(crate) healthy: bool,
    /// Set if the app has been healthy for [`reset_after`](crate::config::OutcomeConfig::reset_after).
    pub(crate) long_healthy: bool,
    /// Set if the latest report shows a symptom, sustained or not.
    pub(crate) symptomatic: bool,
    /// Evidence for a soft heal of an app that sends reports.
    pub(crate) soft_evidence: Option<Reason>,
    /// Set if the error ratio has been high for long enough for a hard heal.
    pub(crate) ratio_sustained: bool,
    /// Evidence, other than errors, for a hard heal of an app that sends reports.
    pub(crate) hard_evidence: Option<Reason>,
    /// Evidence for a hard heal of an unresponsive app.
    pub(crate) unresponsive: Option<Reason>,
    /// Position of the route that fails entirely in the routes of the report.
    pub(crate) worst_route: Option<u8>,
    /// Set if the app shows no more errors than it usually does, although they would be a symptom.
    pub(crate) usual_errors: bool,
    /// Errors per request of the latest report. `None` if there were too few requests.
    pub(crate) error_ratio: Option<f64>,
    /// Set if the forecast of a limit is alarming.
    pub(crate) limit_alarm: bool,
    /// Set if the forecast has been alarming for as long as a hard heal needs.
    pub(crate) limit_sustained: bool,
    /// Set if the limit will be reached too soon to wait for low load.
    pub(crate) limit_urgent: bool,
    pub(crate) low_load: bool,
    pub(crate) dependency_down: bool,
    /// Set if a dependency has not been checked since the onset of the symptom, but may be soon.
    pub(crate) awaiting_checks: bool,
    pub(crate) features: Features,
    pub(crate) impairment: Assessment,
    /// Set if the app has been starved in the last seconds, so that its runtime may tick late.
    pub(crate) starving: bool,
}

#[cfg(test)]
impl Reading {
    /// Returns a reading of an app about which nothing is known.
    pub(crate) fn unknown(lane: Lane) -> Self {
        Self {
            lane,
            stale: false,
            restarted: false,
            has_been_ready: false,
            mature: false,
            has_served: false,
            front_door_fails: false,
            available: false,
            version_known: false,
            draining: false,
            healthy: false,
            long_healthy: false,
            symptomatic: false,
            soft_evidence: None,
            ratio_sustained: false,
            hard_evidence: None,
            unresponsive: None,
            worst_route: None,
            usual_errors: false,
            error_ratio: None,
            limit_alarm: false,
            limit_sustained: false,
            limit_urgent: false,
            low_load: false,
            dependency_down: false,
            awaiting_checks: false,
            features: Features::EMPTY,
            impairment: Assessment::default(),
            starving: false,
        }
    }
}
