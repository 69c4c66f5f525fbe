//! Extraction of features from a health report, its windows and its trends.

use std::time::Duration;

use super::state::KnownApp;
use super::trends::{Trends, percent};
use super::windows::Windows;
use crate::config::ForecastConfig;
use crate::evidence::dependencies::Dependencies;
use crate::features::{Feature, Features};
use crate::forecast::{Forecast, Trend};
use crate::health::Health;
use crate::number::as_f64;
use crate::observation::ProbeResult;
use crate::time::Time;

/// Requests per second below which an app has hardly any traffic.
pub(super) const IDLE_RATE: f64 = 1.0;
/// Seconds per day, the largest value of features that are times.
const DAY: f64 = 86_400.0;

/// Sets the features of the time of day, the treatments and the starts.
pub(super) fn set_context(features: &mut Features, now: Time, wall: Duration, app: &KnownApp) {
    features.set(Feature::HourOfDay, as_f64(wall.as_secs() / 3600 % 24));
    let since_treatment = app
        .last_treatment
        .map_or(DAY, |treatment| now.seconds_since(treatment));
    features.set(Feature::SinceLastHeal, since_treatment);
    features.set(Feature::RecentRestarts, app.recent_starts(now));
}

/// Sets the latency of the front door, if it responds.
pub(super) fn set_front_door(features: &mut Features, front_door: &ProbeResult<()>) {
    if let ProbeResult::Valid((), latency) = front_door {
        features.set(Feature::FrontDoorLatency, latency.as_secs_f64());
    }
}

/// Sets the features of a report that need no window.
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

/// Sets the features of the windows. `cpu` is the CPU usage in the report.
pub(super) fn set_windows(features: &mut Features, windows: &Windows, cpu: Option<f64>) {
    features.set_option(Feature::RequestRate, windows.traffic.load);
    features.set_option(Feature::LoadRatio, windows.relative_traffic.load);
    features.set_option(Feature::P50Ratio, windows.relative_traffic.p50);
    features.set_option(Feature::P99Ratio, windows.relative_traffic.p99);
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
    features.set_option(Feature::FailingDependencies, dependencies.failing_share);
    features.set_option(Feature::FailingLocals, dependencies.local_failing_share);
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

/// Returns the seconds until the limit is reached if usage rises steadily, otherwise the largest value.
fn time_to_limit(trend: &Trend, config: &ForecastConfig) -> f64 {
    let is_steady = |forecast: &&Forecast| forecast.confidence >= config.min_confidence;
    trend
        .forecast()
        .filter(is_steady)
        .map_or(DAY, |forecast| forecast.time_to_limit.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Runtime;

    #[test]
    fn percentage_of_nothing_is_unknown() {
        assert_eq!(percent(1, 4), Some(25.0));
        assert_eq!(percent(1, 0), None);
    }

    #[test]
    fn reported_hour_overrides_the_clock_if_it_is_valid() {
        for (hour, expected) in [(Some(7), 7.0), (Some(24), 3.0), (None, 3.0)] {
            let mut features = Features::EMPTY;
            let wall = Duration::from_secs(27 * 3600);
            set_context(&mut features, Time::default(), wall, &KnownApp::new());
            let health = Health {
                hour_of_day: hour,
                ..Health::default()
            };
            set_snapshot(&mut features, &health);
            assert_eq!(features.get(Feature::HourOfDay), Some(expected));
        }
    }

    #[test]
    fn tick_age_counts_as_lag_while_the_runtime_is_stalled() {
        for (stalled, expected) in [(true, 9.0), (false, 0.5)] {
            let mut features = Features::EMPTY;
            let health = Health {
                runtime: Some(Runtime {
                    stalled,
                    stall_after_seconds: None,
                    workers: None,
                    tick_age_seconds: 9.0,
                    lag_seconds: 0.5,
                }),
                ..Health::default()
            };
            set_snapshot(&mut features, &health);
            assert_eq!(features.get(Feature::RuntimeLag), Some(expected));
        }
    }

    #[test]
    fn flat_trend_has_a_day_to_its_limit_and_unknown_trend_is_absent() {
        let config = ForecastConfig::default();
        let mut trends = Trends::new();
        trends.memory.push(Time::default(), Some(40.0), &config);
        let mut features = Features::EMPTY;
        set_trends(&mut features, &trends, &config);
        assert_eq!(features.get(Feature::MemoryTimeToLimit), Some(86_400.0));
        assert_eq!(features.get(Feature::MemorySlope), Some(0.0));
        assert_eq!(features.get(Feature::FdTimeToLimit), None);
    }
}
