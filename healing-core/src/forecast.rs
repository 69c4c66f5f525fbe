//! Forecast of limits: a steady rise of memory or file descriptors is extrapolated.
//!
//! A near and a far window (24 points each) find leaks of minutes and of an hour. A rise starts at the
//! last minimum in the window, and is extrapolated by at most `max_extrapolation` times the time for
//! which it was observed; with 0.4, 10 min of growth allow a 4 min forecast. Together with the
//! *high-water mark* this distinguishes a leak from a sawtooth (caches, garbage collectors). No alarm is
//! raised below a level the resource has already fallen back from. Descriptors are extrapolated further
//! (`fd_max_extrapolation`), because no garbage collector frees them.
//!
//! # Hazards
//!
//! The first tooth of a sawtooth whose peak is close to the limit looks like a leak.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::ForecastConfig;
use crate::slope::{self, POINTS};
use crate::time::Time;

/// Resource with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Working set against the memory limit.
    Memory,
    /// Open file descriptors against the process's limit.
    FileDescriptors,
}

/// Forecast from a rise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Resource whose usage rises.
    pub resource: Resource,
    /// Time until the limit is reached if the rise continues.
    pub time_to_limit: Duration,
    /// Confidence: steadiness of the rise, 0–1. It is the share of the pairs of points that rise minus the
    /// share that fall.
    pub confidence: f64,
    /// Rise per minute, in percent of the limit.
    pub percent_per_minute: f64,
    /// Time for which the rise was observed.
    pub observed_for: Duration,
    /// Set if the rise is steady and the limit close enough to act on.
    pub alarming: bool,
}

/// Time series of one resource, in percent of its limit, with its forecast.
#[derive(Debug)]
pub(crate) struct Trend {
    resource: Resource,
    near: Series,
    far: Series,
    high_water: HighWaterMark,
    forecast: Option<Forecast>,
    /// Time at which the limit is reached by the forecast.
    limit_at: Time,
}

/// Time series of one window: points at a fixed interval.
#[derive(Debug)]
struct Series {
    times: [Time; POINTS],
    values: [f32; POINTS],
    len: usize,
}

/// Highest level from which the resource has fallen without a treatment.
#[derive(Debug, Default)]
struct HighWaterMark {
    last: f32,
    /// Maximum since the last fall.
    peak: f32,
    level: f32,
}

/// Minimum rise, in percent of the limit. Measurement error and allocators can explain a smaller one.
const MIN_RISE: f32 = 2.0;
/// Gap after which a series starts over, in intervals: half a window.
#[allow(clippy::cast_possible_truncation)] // POINTS is small
const GAP_INTERVALS: u32 = POINTS as u32 / 2;
/// Minimum number of points of a rise.
const MIN_POINTS: usize = 6;

// === impl Trend ===

impl Trend {
    /// Returns a trend without points.
    pub(crate) fn new(resource: Resource) -> Self {
        Self {
            resource,
            near: Series::new(),
            far: Series::new(),
            high_water: HighWaterMark::default(),
            forecast: None,
            limit_at: Time::default(),
        }
    }

    /// Discards all points, because a new process starts a new series.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.resource);
    }

    /// Restarts the search for a peak, so that a fall caused by a treatment does not set a high-water mark.
    pub(crate) fn reset_peak(&mut self) {
        self.high_water.peak = 0.0;
        self.high_water.last = 0.0;
    }

    /// Adds a value. Slopes are computed only if a new point is due, so that most polls are cheap.
    pub(crate) fn push(&mut self, at: Time, percent: Option<f64>, config: &ForecastConfig) {
        let Some(percent) = percent.filter(|percent| percent.is_finite()) else {
            return;
        };
        #[allow(clippy::cast_possible_truncation)] // percent
        let percent = percent.clamp(0.0, 100.0) as f32;
        if !self.near.push(at, percent, config.sample_interval) {
            if let Some(forecast) = &mut self.forecast {
                forecast.time_to_limit = self.limit_at.since(at);
            }
            return;
        }
        self.far
            .push(at, percent, config.sample_interval.saturating_mul(5));
        self.high_water.push(percent);
        let rises = [self.near.rise(), self.far.rise()].into_iter().flatten();
        let first = rises
            .map(|rise| (rise.limit_at, self.forecast_of(at, rise, percent, config)))
            .min_by_key(|(limit_at, forecast)| (!forecast.alarming, *limit_at));
        self.limit_at = first.map_or(at, |(limit_at, _)| limit_at);
        self.forecast = first.map(|(_, forecast)| forecast);
    }

    /// Returns the forecast with the earliest limit. An alarming forecast precedes the others.
    pub(crate) fn forecast(&self) -> Option<&Forecast> {
        self.forecast.as_ref()
    }

    /// Returns `true` if any value has been added.
    pub(crate) fn is_known(&self) -> bool {
        self.near.len > 0
    }

    /// Returns `true` if there is a peak that can become the high-water mark.
    #[cfg(test)]
    pub(crate) fn has_peak(&self) -> bool {
        self.high_water.peak > 0.0
    }

    /// Returns the forecast from a rise, at the current usage `percent`.
    fn forecast_of(&self, at: Time, rise: Rise, percent: f32, config: &ForecastConfig) -> Forecast {
        let time_to_limit = rise.limit_at.since(at);
        let max_extrapolation = match self.resource {
            Resource::Memory => config.max_extrapolation,
            Resource::FileDescriptors => config.fd_max_extrapolation,
        } * rise.observed_for.as_secs_f64();
        let continues = percent >= rise.level - MIN_RISE;
        let below_high_water = percent <= self.high_water.level + MIN_RISE;
        Forecast {
            resource: self.resource,
            time_to_limit,
            confidence: rise.steadiness,
            percent_per_minute: rise.slope * 60.0,
            observed_for: rise.observed_for,
            alarming: rise.steadiness >= config.min_confidence
                && f64::from(percent) >= config.min_usage_percent
                && time_to_limit.as_secs_f64() <= max_extrapolation
                && continues
                && !below_high_water,
        }
    }
}

/// Rise since the last minimum.
#[derive(Clone, Copy)]
struct Rise {
    slope: f64,
    /// Value of the line at the newest point.
    level: f32,
    limit_at: Time,
    steadiness: f64,
    observed_for: Duration,
}

// === impl Series ===

impl Series {
    /// Returns an empty series.
    fn new() -> Self {
        Self {
            times: [Time::default(); POINTS],
            values: [0.0; POINTS],
            len: 0,
        }
    }

    /// Adds a value if a point is due, and returns `true` if it was added. A gap of half a window clears
    /// the points.
    fn push(&mut self, at: Time, value: f32, interval: Duration) -> bool {
        if let Some(last) = self.len.checked_sub(1).map(|last| self.times[last]) {
            let passed = at.since(last);
            if passed < interval {
                return false;
            }
            if passed > interval.saturating_mul(GAP_INTERVALS) {
                self.len = 0;
            }
        }
        if self.len == POINTS {
            self.times.copy_within(1.., 0);
            self.values.copy_within(1.., 0);
            self.len -= 1;
        }
        self.times[self.len] = at;
        self.values[self.len] = value;
        self.len += 1;
        true
    }

    /// Returns the rise since the last minimum of the series.
    fn rise(&self) -> Option<Rise> {
        let values = &self.values[..self.len];
        let (min, max) = values.iter().fold((f32::MAX, f32::MIN), |(min, max), &v| {
            (min.min(v), max.max(v))
        });
        let low = min + (0.05 * (max - min)).max(0.25);
        let start = values.iter().rposition(|&value| value <= low)?;
        let newest = *self.times[..self.len].last()?;
        let mut points = [(0.0_f32, 0.0_f32); POINTS];
        let len = self.len - start;
        for (index, point) in points[..len].iter_mut().enumerate() {
            let age = newest.seconds_since(self.times[start + index]);
            #[allow(clippy::cast_possible_truncation)] // a slope needs no more digits
            let time = -age as f32;
            *point = (time, values[start + index]);
        }
        if len < MIN_POINTS || values[self.len - 1] - values[start] < MIN_RISE {
            return None;
        }
        let line = slope::fit(&points[..len])?;
        // The slope of a rise that levels off is that of its later half.
        let later = slope::fit(&points[len / 2..len])?;
        let slope = line.slope.min(later.slope);
        if slope <= 0.0 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation)] // percent
        let level = (line.intercept as f32).clamp(0.0, 100.0);
        let seconds = (f64::from(100.0 - level) / slope).clamp(0.0, 86_400.0);
        Some(Rise {
            slope,
            level,
            limit_at: newest + Duration::from_secs_f64(seconds),
            steadiness: line.steadiness.max(0.0),
            observed_for: newest.since(self.times[start]),
        })
    }
}

// === impl HighWaterMark ===

impl HighWaterMark {
    /// Adds a point. A peak is a level that two consecutive points reach, so that an outlier does not count.
    fn push(&mut self, value: f32) {
        let sustained = value.min(self.last);
        self.last = value;
        self.peak = self.peak.max(sustained);
        if value < self.peak - (0.1 * self.peak).max(5.0) {
            self.level = self.level.max(self.peak);
            self.peak = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the time of the first alarm, in seconds, with polls every 5 s.
    fn first_alarm(seconds: u64, usage: impl Fn(f64) -> f64) -> Option<u64> {
        let config = ForecastConfig::default();
        let mut trend = Trend::new(Resource::Memory);
        (0..seconds).step_by(5).find(|&second| {
            let at = Time::default() + Duration::from_secs(second);
            #[allow(clippy::cast_precision_loss)]
            trend.push(at, Some(usage(second as f64)), &config);
            trend.forecast().is_some_and(|forecast| forecast.alarming)
        })
    }

    /// Returns deterministic noise between −1 and 1.
    fn noise(second: f64) -> f64 {
        (second * 12.9898).sin() * 43_758.547 % 1.0
    }

    #[test]
    fn leak_is_forecast_a_minute_before_the_limit() {
        for minutes in [5.0, 15.0, 60.0] {
            for start in [5.0, 20.0, 50.0] {
                for delay in [0.0, 400.0] {
                    let leak = 60.0 * minutes;
                    let usage = |t: f64| {
                        let grown = ((t - delay) / leak).clamp(0.0, 1.0);
                        start + (100.0 - start) * grown + 0.3 * noise(t)
                    };
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    let end = (delay + leak) as u64;
                    let alarm = first_alarm(end, usage).unwrap_or(end);
                    assert!(
                        end - alarm >= 60,
                        "{minutes} min from {start} % after {delay} s: {}",
                        end - alarm
                    );
                }
            }
        }
    }

    #[test]
    fn sawtooth_raises_no_alarm() {
        for period in [20.0, 60.0, 180.0, 600.0, 1800.0, 3600.0] {
            for (low, high) in [(30.0, 75.0), (40.0, 80.0), (20.0, 60.0), (60.0, 85.0)] {
                for jitter in [0.0, 0.5, 2.0] {
                    let usage =
                        |t: f64| low + (high - low) * (t / period % 1.0) + jitter * noise(t);
                    assert_eq!(
                        first_alarm(86_400, usage),
                        None,
                        "{period} s, {low}–{high} %, ±{jitter}"
                    );
                }
            }
        }
    }

    #[test]
    fn leak_that_starts_during_a_sawtooth_is_forecast() {
        let usage =
            |t: f64| (30.0 + 20.0 * (t / 300.0 % 1.0)).max(40.0) + (t - 3600.0).max(0.0) / 40.0;
        let alarm = first_alarm(7200, usage).unwrap();
        assert!((3600..5600).contains(&alarm), "{alarm}");
    }

    #[test]
    fn plateau_raises_no_alarm() {
        let usage = |t: f64| 20.0 + 60.0 * (1.0 - (-t / 120.0).exp()) + 0.3 * noise(t);
        assert_eq!(first_alarm(7200, usage), None);
    }
}
