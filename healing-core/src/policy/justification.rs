//! Justification of a proposal for an app that sends health reports: the evidence for treatments that may help,
//! and the reason for one of them or for none.

use crate::config::PolicyConfig;
use crate::decision::{Action, Reason};
use crate::evidence::Evidence;
use crate::features::{Feature, Features};
use crate::guards::Guards;
use crate::reading::Reading;

/// Percentage of CPU or memory above which [`Reason::Healthy`] is reported as
/// [`Reason::ResourceUseOnly`].
const HIGH_USAGE: f32 = 80.0;

/// Returns the evidence for treatments that may help an app that sends health reports.
pub(super) fn evidence(
    reading: &Reading,
    guards: &Guards,
    model_prefers_restart: bool,
    config: &PolicyConfig,
) -> Evidence {
    let soft = reading.soft_evidence;
    let limit_is_due = reading.limit_sustained && (reading.low_load || reading.limit_urgent);
    let worked = reading.available || has_worked(reading);
    let restart_may_help = worked && !guards.restarts_failed(&config.permission);
    let soft_heals_failed = soft.is_some()
        && guards.allows_restart(model_prefers_restart, &config.permission)
        && reading.ratio_sustained;
    let hard = if limit_is_due {
        Some(Reason::LimitForecast)
    } else if !restart_may_help {
        None
    } else if soft_heals_failed {
        Some(Reason::SoftHealFailed)
    } else {
        reading.hard_evidence
    };
    Evidence { soft, hard }
}

/// Returns `true` if the evidence shows that this version has worked, so that it is no bad rollout: a port
/// that was open, or a capacity that was proved. Where nothing succeeds, the impairment itself limits the
/// restarts.
fn has_worked(reading: &Reading) -> bool {
    reading
        .hard_evidence
        .is_some_and(|evidence| match evidence {
            Reason::FrontDoorRefused | Reason::NoGoodput => true,
            evidence => reading.version_known && evidence.is_impairment(),
        })
}

/// Returns the reason for proposing a treatment or for taking none.
pub(super) fn reason(
    reading: &Reading,
    guards: &Guards,
    evidence: Evidence,
    preferred: Option<Action>,
    config: &PolicyConfig,
) -> Reason {
    let starting = reading.front_door_fails && !reading.has_served;
    if !reading.has_been_ready || starting {
        Reason::Starting
    } else if guards.is_treating() {
        Reason::Probation
    } else if guards.attempts_exhausted(&config.permission)
        && (evidence.soft.is_some() || reading.usual_errors)
    {
        Reason::AttemptsExhausted
    } else if let Some(reason) = evidence.hard.or(evidence.soft) {
        if reading.awaiting_checks {
            Reason::AwaitingChecks
        } else if preferred == Some(Action::NoAction) {
            Reason::ModelDeclined
        } else {
            reason
        }
    } else if reading.hard_evidence.is_some() {
        // A restart is justified but would not help.
        if reading.available {
            Reason::AttemptsExhausted
        } else {
            Reason::NeverAvailable
        }
    } else if reading.limit_alarm {
        Reason::AwaitingLowLoad
    } else if reading.symptomatic {
        Reason::InsufficientEvidence
    } else if guards.current_treatment().is_some() {
        Reason::Probation
    } else if reading.usual_errors {
        Reason::UsualErrors
    } else if has_high_usage(&reading.features) {
        Reason::ResourceUseOnly
    } else {
        Reason::Healthy
    }
}

/// Returns `true` if CPU or memory usage is above [`HIGH_USAGE`].
fn has_high_usage(features: &Features) -> bool {
    [Feature::CpuUsage, Feature::MemoryUsage]
        .into_iter()
        .any(|feature| {
            features
                .get(feature)
                .is_some_and(|percent| percent > HIGH_USAGE)
        })
}
