//! The hand-written rule over trends, as of the frozen commit.

use crate::decision::Action;
use crate::features::{Feature, Features};

/// Returns the action of a hand-written rule over trends, as an experienced operator would state it.
#[must_use]
pub fn trend_rule(features: &Features) -> Action {
    let get = |feature| features.get(feature).unwrap_or(0.0);
    let time_to_limit = |feature| features.get(feature).unwrap_or(86_400.0);
    let errors = get(Feature::ErrorRatioFast).min(2.0 * get(Feature::ErrorRatioSlow));
    let recently_started = get(Feature::Uptime) < 420.0;
    let busy = get(Feature::LoadRatio) > 1.8;
    let night = get(Feature::HourOfDay) < 6.0;

    // The runtime's workers are blocked, whatever the requests show.
    if get(Feature::RuntimeLag) > 0.2 {
        return Action::RestartService;
    }
    // A limit will be reached soon.
    let memory_runs_out =
        time_to_limit(Feature::MemoryTimeToLimit) < 300.0 && get(Feature::MemoryUsage) > 60.0;
    let fds_run_out = time_to_limit(Feature::FdTimeToLimit) < 300.0 || get(Feature::FdUsage) > 95.0;
    if (memory_runs_out && get(Feature::CpuUsage) < 80.0) || fds_run_out {
        return Action::RestartService;
    }
    // The CPU is saturated, and neither by more load than usual nor by a nightly job.
    if get(Feature::CpuUsage) > 90.0 && !busy && !recently_started && !night {
        return Action::RestartService;
    }
    // Repeated panics: state in memory is broken, unless this version has never been available.
    if get(Feature::PanicRatio) > 0.04 && !recently_started {
        return Action::RestartService;
    }
    // No treatment helps against a failing dependency or too much load.
    if get(Feature::FailingDependencies) > 0.0 || busy || recently_started {
        return Action::NoAction;
    }
    // A soft heal that did not help is not repeated.
    if get(Feature::SinceLastHeal) < 400.0 {
        return Action::NoAction;
    }
    let slow = get(Feature::P50Ratio) > 4.0;
    if errors > 0.07 || slow || get(Feature::FailingLocals) > 0.0 {
        return Action::ResetErrors;
    }
    Action::NoAction
}
