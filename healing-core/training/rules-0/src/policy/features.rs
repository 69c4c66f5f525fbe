//! Feature extraction: features from an answer, its windows and its trends.

use std::time::Duration;

use super::state::KnownApp;
use super::trends::Trends;
use super::windows::Windows;
use crate::config::ForecastConfig;
use crate::evidence::dependencies::Dependencies;
use crate::features::{Feature, Features};
use crate::forecast::{Forecast, Trend};
use crate::health::Health;
use crate::observation::ProbeResult;
use crate::time::Time;
use crate::window::as_f64;

/// Requests per second below which an app has hardly any traffic.
pub(super) const IDLE_RATE: f64 = 1.0;
/// Seconds a day: the largest value of features that are times.
const DAY: f64 = 86_400.0;

/// Returns `part` in percent of `whole`; `None` where `whole` is 0.
pub(super) fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * as_f64(part) / as_f64(whole))
}

/// Sets the features of the time of day, the treatments and the starts.
pub(super) fn set_context(features: &mut Features, now: Time, wall: Duration, app: &KnownApp) {
    features.set(Feature::HourOfDay, as_f64(wall.as_secs() / 3600 % 24));
    let since_treatment = app
        .last_treatment
        .map_or(DAY, |treatment| now.seconds_since(treatment));
    features.set(Feature::SinceLastHeal, since_treatment);
    features.set(Feature::RecentRestarts, app.recent_starts(now));
}

/// Sets the latency of the front door, if it answers.
pub(super) fn set_front_door(features: &mut Features, front_door: &ProbeResult<()>) {
    if let ProbeResult::Valid((), latency) = front_door {
        features.set(Feature::FrontDoorLatency, latency.as_secs_f64());
    }
}

/// Sets the features of an answer that need no window.
pub(super) fn set_snapshot(features: &mut Features, health: &Health) {
    features.set_option(Feature::CpuUsage, health.cpu_usage);
    features.set_option(Feature::MemoryUsage, health.memory_usage);
    features.set(Feature::ErrorCount, as_f64(health.error_count));
    features.set(Feature::Uptime, health.uptime);
    if let Some(hour) = health.hour_of_day.filter(|&hour| hour < 24) {
        features.set(Feature::HourOfDay, hour);
    }
    features.set_option(Feature::InFlight, health.in_flight.map(as_f64));
    if let Some(vitals) = &health.vitals {
        let fds = vitals
            .open_fds
            .zip(vitals.max_fds)
            .and_then(|(open, max)| percent(open, max));
        features.set_option(Feature::FdUsage, fds);
    }
    if let Some(runtime) = &health.runtime {
        let age = if runtime.stalled {
            runtime.tick_age_seconds
        } else {
            0.0
        };
        features.set(Feature::RuntimeLag, runtime.lag_seconds.max(age));
    }
}

/// Sets the features of the windows. `cpu` is the CPU usage of the answer.
pub(super) fn set_windows(features: &mut Features, windows: &Windows, cpu: Option<f64>) {
    features.set_option(Feature::RequestRate, windows.traffic.load);
    features.set_option(Feature::LoadRatio, windows.relative.load);
    features.set_option(Feature::P50Ratio, windows.relative.p50);
    features.set_option(Feature::P99Ratio, windows.relative.p99);
    if let (Some(rate), Some(cpu)) = (windows.traffic.load, cpu) {
        features.set(
            Feature::CpuWithoutTraffic,
            if rate < IDLE_RATE { cpu } else { 0.0 },
        );
    }
    if let Some(fast) = &windows.fast {
        features.set_option(Feature::ErrorRatioFast, fast.ratio(fast.errors));
    }
    if let Some(slow) = &windows.slow {
        features.set_option(Feature::ErrorRatioSlow, slow.ratio(slow.errors));
        features.set_option(Feature::PanicRatio, slow.ratio(slow.panics));
    }
    features.set_option(Feature::InFlightTrend, windows.in_flight_trend);
}

/// Sets the features of the checks.
pub(super) fn set_checks(features: &mut Features, dependencies: &Dependencies) {
    features.set_option(Feature::FailingDependencies, dependencies.failing);
    features.set_option(Feature::FailingLocals, dependencies.locals_failing);
}

/// Sets the features of the trends.
pub(super) fn set_trends(features: &mut Features, trends: &Trends, config: &ForecastConfig) {
    let Trends {
        memory,
        file_descriptors,
    } = trends;
    if memory.is_known() {
        let slope = memory
            .forecast()
            .map_or(0.0, |forecast| forecast.percent_per_minute);
        features.set(Feature::MemorySlope, slope);
        features.set(Feature::MemoryTimeToLimit, time_to_limit(memory, config));
    }
    if file_descriptors.is_known() {
        let time = time_to_limit(file_descriptors, config);
        features.set(Feature::FdTimeToLimit, time);
    }
}

/// Returns the seconds to the limit of a steady growth, otherwise the largest value.
fn time_to_limit(trend: &Trend, config: &ForecastConfig) -> f64 {
    let is_steady = |forecast: &&Forecast| forecast.confidence >= config.min_confidence;
    trend
        .forecast()
        .filter(is_steady)
        .map_or(DAY, |forecast| forecast.time_to_limit.as_secs_f64())
}
