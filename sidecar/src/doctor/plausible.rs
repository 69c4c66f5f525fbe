//! Whether a `/health` that parses also makes sense.
//!
//! A figure that is not finite or is out of its range makes the whole answer invalid: a doctor
//! that believes half of a nonsensical answer can be led to restart a healthy app.

use healing_core::health::{CheckReport, Health, Latency, Runtime, Vitals, WindowStats};

/// Percentages may exceed 100 by measuring error (and CPU by bursts), not by orders.
const MOST_PERCENT: f64 = 1000.0;
/// A thousand years, in seconds.
const LONGEST: f64 = 3.2e10;
/// More buckets than any histogram of ours has.
const MOST_BUCKETS: usize = 1024;

/// More characters than any name needs; what is longer would be carried into state and journal.
const LONGEST_NAME: usize = 256;
/// More checks, hooks or windows than any app has.
const MOST_ENTRIES: usize = 256;

/// Every figure is finite and in its range, every name and list of a sensible length.
pub(super) fn health(health: &Health) -> bool {
    lengths(health)
        && optional(health.cpu_usage, percent)
        && optional(health.memory_usage, percent)
        && seconds(health.uptime)
        && health.hour_of_day.is_none_or(|hour| hour < 24)
        && health.latency.as_ref().is_none_or(latency)
        && health.windows.iter().all(window)
        && health.vitals.as_ref().is_none_or(vitals)
        && health.runtime.as_ref().is_none_or(runtime)
        && health.checks.iter().all(check)
}

fn lengths(health: &Health) -> bool {
    let names = [&health.app, &health.instance_id];
    names.into_iter().flatten().all(|text| name(text))
        && health.windows.len() <= MOST_ENTRIES
        && health.checks.len() <= MOST_ENTRIES
        && health.hooks.len() <= MOST_ENTRIES
        && health.checks.iter().all(|check| name(&check.name))
        && health.hooks.iter().all(|hook| name(&hook.name))
}

fn name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
}

fn latency(latency: &Latency) -> bool {
    let bounds = &latency.bounds_seconds;
    bounds.len() <= MOST_BUCKETS
        && latency.counts.len() == bounds.len() + 1
        && bounds.iter().all(|bound| seconds(*bound))
        && bounds.is_sorted_by(|a, b| a < b)
}

fn window(window: &WindowStats) -> bool {
    seconds(window.seconds)
        && amount(window.request_rate)
        && optional(window.error_ratio, ratio)
        && optional(window.panic_ratio, ratio)
        && optional(window.p50_seconds, seconds)
        && optional(window.p99_seconds, seconds)
}

fn vitals(vitals: &Vitals) -> bool {
    optional(vitals.cpu_seconds_total, amount)
        && optional(vitals.cpu_limit_cores, amount)
        && optional(vitals.cpu_throttled_seconds_total, amount)
}

fn runtime(runtime: &Runtime) -> bool {
    seconds(runtime.tick_age_seconds) && seconds(runtime.lag_seconds)
}

fn check(check: &CheckReport) -> bool {
    optional(check.age_seconds, seconds)
}

fn optional(value: Option<f64>, in_range: impl Fn(f64) -> bool) -> bool {
    value.is_none_or(in_range)
}

fn percent(value: f64) -> bool {
    (0.0..=MOST_PERCENT).contains(&value)
}

fn ratio(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}

fn seconds(value: f64) -> bool {
    (0.0..=LONGEST).contains(&value)
}

fn amount(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Health {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_originals_five_fields_are_enough() {
        assert!(health(&parse(
            r#"{"status":"healthy","cpu_usage":10.5,"memory_usage":20,"error_count":3,"uptime":7}"#
        )));
        assert!(health(&parse(r#"{"status":"degraded"}"#)));
    }

    #[test]
    fn nonsense_is_told_from_figures() {
        for wrong in [
            r#"{"status":"healthy","cpu_usage":-1}"#,
            r#"{"status":"healthy","memory_usage":1e9}"#,
            r#"{"status":"healthy","uptime":-0.5}"#,
            r#"{"status":"healthy","uptime":1e300}"#,
            r#"{"status":"healthy","hour_of_day":24}"#,
            r#"{"status":"healthy","latency":{"bounds_seconds":[1,2],"counts":[1,2]}}"#,
            r#"{"status":"healthy","latency":{"bounds_seconds":[2,1],"counts":[1,2,3]}}"#,
            r#"{"status":"healthy","windows":[{"seconds":10,"request_rate":1,"error_ratio":1.5}]}"#,
            r#"{"status":"healthy","windows":[{"seconds":10,"request_rate":-1}]}"#,
            r#"{"status":"healthy","vitals":{"cpu_limit_cores":-2}}"#,
            r#"{"status":"healthy","runtime":{"tick_age_seconds":-1,"lag_seconds":0,"stalled":true}}"#,
            r#"{"status":"healthy","checks":[{"name":"x","kind":"local","state":"failing","age_seconds":-3}]}"#,
        ] {
            assert!(!health(&parse(wrong)), "{wrong}");
        }
        let long = "x".repeat(300);
        assert!(!health(&parse(&format!(
            r#"{{"status":"healthy","instance_id":"{long}"}}"#
        ))));
        let mut nan = parse(r#"{"status":"healthy"}"#);
        nan.uptime = f64::NAN;
        assert!(!health(&nan));
    }
}
