//! Conversion of the traces of a run to the data that is judged.

use std::time::{Duration, SystemTime};

use super::clients::Clients;
use super::observer::Observer;
use crate::trials::judge::{Kind, Observed, Treatment};

/// Part of the run, at its end, over which the share of served requests is taken.
const END_PART: f64 = 0.15;

/// Returns everything that is judged.
pub(in crate::trials) fn observed(
    observer: &Observer,
    clients: &Clients,
    fault_at: Option<SystemTime>,
    scale: f64,
    problems: Vec<String>,
) -> Observed {
    let fault_at = fault_at.unwrap_or(SystemTime::UNIX_EPOCH);
    let mut observed = Observed {
        treatments: treatments(observer, fault_at, scale),
        outcomes: observer.outcomes(),
        problems,
        ..Observed::default()
    };
    if let Some(recorder) = clients.recorder() {
        let started = SystemTime::now() - recorder.start().elapsed();
        let fault = fault_at.duration_since(started).unwrap_or_default();
        let after = fault..Duration::MAX;
        let last_part = clients.length().mul_f64(1.0 - END_PART)..Duration::MAX;
        observed.requests = recorder.counts(&after);
        observed.at_end = recorder.counts(&last_part);
        let millis = |quantile| {
            let latency = recorder.latency(quantile, &after)?;
            u64::try_from(latency.as_millis()).ok()
        };
        (observed.p50_ms, observed.p99_ms) = (millis(0.5), millis(0.99));
    }
    observed
}

fn treatments(observer: &Observer, fault_at: SystemTime, scale: f64) -> Vec<Treatment> {
    let of_kind = |kind, treatments: Vec<(SystemTime, String)>| {
        treatments.into_iter().map(move |(at, reason)| Treatment {
            kind,
            seconds: seconds_after(fault_at, at) * scale,
            reason,
        })
    };
    let restarts = of_kind(Kind::Restart, observer.restarts_with_reasons());
    let soft_heals = of_kind(Kind::SoftHeal, observer.soft_heals_with_reasons());
    let mut treatments: Vec<Treatment> = restarts.chain(soft_heals).collect();
    treatments.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    treatments
}

/// Returns the seconds from the fault to a moment; negative before the fault.
fn seconds_after(fault: SystemTime, at: SystemTime) -> f64 {
    match at.duration_since(fault) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}
