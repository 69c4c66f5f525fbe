//! Forecast of limits: a steady growth of memory or file descriptors is extrapolated.
//!
//! Two views, a near and a far one (24 points each), find leaks of minutes and of an hour. A growth
//! counts from the view's last minimum, and is extrapolated by at most `max_extrapolation` times the
//! time for which it was observed: ten minutes of growth allow a forecast of four. That distinguishes a
//! leak from a sawtooth (caches, garbage collectors), together with the *high-water mark*: a level from
//! which the resource fell by itself before raises no alarm. Descriptors are extrapolated further
//! (`fd_max_extrapolation`), because nothing collects them.
//!
//! # Hazards
//!
//! The first tooth of a sawtooth that ends close to the limit looks like a leak.

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

/// Forecast of a steady growth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Resource that grows.
    pub resource: Resource,
    /// Time until the limit is hit if the growth continues.
    pub time_to_limit: Duration,
    /// Steadiness of the growth, 0–1: the share of pairs of points that rise, minus those that fall.
    pub confidence: f64,
    /// Growth per minute in percent of the limit.
    pub percent_per_minute: f64,
    /// Time for which the growth was observed.
    pub seen_for: Duration,
    /// Set if the limit is sure and near enough to act on.
    pub alarming: bool,
}

/// Recent course of one resource, in percent of its limit.
#[derive(Debug)]
pub(crate) struct Trend {
    resource: Resource,
    near: View,
    far: View,
    high_water: HighWaterMark,
    forecast: Option<Forecast>,
    /// Time at which the forecast's limit is hit.
    limit_at: Time,
}

/// Points at a fixed interval.
#[derive(Debug)]
struct View {
    times: [Time; POINTS],
    values: [f32; POINTS],
    len: usize,
}

/// Highest level from which the resource fell by itself.
#[derive(Debug, Default)]
struct HighWaterMark {
    last: f32,
    /// Maximum since the last fall.
    peak: f32,
    level: f32,
}

/// Growth in percent below which measurement and allocators explain it.
const MIN_GROWTH: f32 = 2.0;
/// Minimum number of points of a growth.
const MIN_POINTS: usize = 6;

// === impl Trend ===

impl Trend {
    /// Returns a trend without points.
    pub(crate) fn new(resource: Resource) -> Self {
        Self {
            resource,
            near: View::new(),
            far: View::new(),
            high_water: HighWaterMark::default(),
            forecast: None,
            limit_at: Time::default(),
        }
    }

    /// Forgets all points: another process has another course.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.resource);
    }

    /// Restarts the search for a peak: a fall that a treatment causes sets no high-water mark.
    pub(crate) fn reset_peak(&mut self) {
        self.high_water.peak = 0.0;
        self.high_water.last = 0.0;
    }

    /// Adds a value. Slopes are computed only with a new point, so that most polls are cheap.
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
        let views = [self.near.growth(), self.far.growth()];
        let growths = views.into_iter().flatten();
        let first = growths
            .map(|growth| {
                (
                    growth.limit_at,
                    self.forecast_of(at, growth, percent, config),
                )
            })
            .min_by_key(|(limit_at, forecast)| (!forecast.alarming, *limit_at));
        self.limit_at = first.map_or(at, |(limit_at, _)| limit_at);
        self.forecast = first.map(|(_, forecast)| forecast);
    }

    /// Returns the forecast that hits the limit first; one to act on before any other.
    pub(crate) fn forecast(&self) -> Option<&Forecast> {
        self.forecast.as_ref()
    }

    /// Reports if any value was known.
    pub(crate) fn is_known(&self) -> bool {
        self.near.len > 0
    }

    /// Reports if a peak that could become the high-water mark has been seen.
    #[cfg(test)]
    pub(crate) fn has_peak(&self) -> bool {
        self.high_water.peak > 0.0
    }

    fn forecast_of(
        &self,
        at: Time,
        growth: Growth,
        percent: f32,
        config: &ForecastConfig,
    ) -> Forecast {
        let time_to_limit = growth.limit_at.since(at);
        let max_extrapolation = match self.resource {
            Resource::Memory => config.max_extrapolation,
            Resource::FileDescriptors => config.fd_max_extrapolation,
        } * growth.seen_for.as_secs_f64();
        let continues = percent >= growth.level - MIN_GROWTH;
        let below_high_water = percent <= self.high_water.level + MIN_GROWTH;
        Forecast {
            resource: self.resource,
            time_to_limit,
            confidence: growth.steadiness,
            percent_per_minute: growth.slope * 60.0,
            seen_for: growth.seen_for,
            alarming: growth.steadiness >= config.min_confidence
                && f64::from(percent) >= config.min_usage_percent
                && time_to_limit.as_secs_f64() <= max_extrapolation
                && continues
                && !below_high_water,
        }
    }
}

/// Rise since the last minimum.
#[derive(Clone, Copy)]
struct Growth {
    slope: f64,
    /// Value of the line at the newest point.
    level: f32,
    limit_at: Time,
    steadiness: f64,
    seen_for: Duration,
}

// === impl View ===

impl View {
    fn new() -> Self {
        Self {
            times: [Time::default(); POINTS],
            values: [0.0; POINTS],
            len: 0,
        }
    }

    /// Adds a value if a point is due; returns `true` if it was. A gap of half a view clears the points.
    fn push(&mut self, at: Time, value: f32, interval: Duration) -> bool {
        if let Some(last) = self.len.checked_sub(1).map(|last| self.times[last]) {
            let passed = at.since(last);
            if passed < interval {
                return false;
            }
            if passed > interval.saturating_mul(12) {
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

    fn growth(&self) -> Option<Growth> {
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
        if len < MIN_POINTS || values[self.len - 1] - values[start] < MIN_GROWTH {
            return None;
        }
        let line = slope::fit(&points[..len])?;
        // A growth that levels off is judged by its later half.
        let later = slope::fit(&points[len / 2..len])?;
        let slope = line.slope.min(later.slope);
        if slope <= 0.0 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation)] // percent
        let level = (line.intercept as f32).clamp(0.0, 100.0);
        let seconds = (f64::from(100.0 - level) / slope).clamp(0.0, 86_400.0);
        Some(Growth {
            slope,
            level,
            limit_at: newest + Duration::from_secs_f64(seconds),
            steadiness: line.steadiness.max(0.0),
            seen_for: newest.since(self.times[start]),
        })
    }
}

// === impl HighWaterMark ===

impl HighWaterMark {
    /// Adds a point. A peak is a level that two points in a row reach, so that one outlier is none.
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
    fn first_alarm(seconds: u64, course: impl Fn(f64) -> f64) -> Option<u64> {
        let config = ForecastConfig::default();
        let mut trend = Trend::new(Resource::Memory);
        (0..seconds).step_by(5).find(|&second| {
            let at = Time::default() + Duration::from_secs(second);
            #[allow(clippy::cast_precision_loss)]
            trend.push(at, Some(course(second as f64)), &config);
            trend.forecast().is_some_and(|forecast| forecast.alarming)
        })
    }

    /// Returns a deterministic noise of ±1.
    fn noise(second: f64) -> f64 {
        (second * 12.9898).sin() * 43_758.547 % 1.0
    }

    #[test]
    fn leak_is_forecast_a_minute_before_the_limit() {
        for minutes in [5.0, 15.0, 60.0] {
            for start in [5.0, 20.0, 50.0] {
                for quiet in [0.0, 400.0] {
                    let leak = 60.0 * minutes;
                    let course = |t: f64| {
                        let grown = ((t - quiet) / leak).clamp(0.0, 1.0);
                        start + (100.0 - start) * grown + 0.3 * noise(t)
                    };
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    let end = (quiet + leak) as u64;
                    let alarm = first_alarm(end, course).unwrap_or(end);
                    assert!(
                        end - alarm >= 60,
                        "{minutes} min from {start} % after {quiet} s: {}",
                        end - alarm
                    );
                }
            }
        }
    }

    #[test]
    fn sawtooth_is_no_leak() {
        for period in [20.0, 60.0, 180.0, 600.0, 1800.0, 3600.0] {
            for (low, high) in [(30.0, 75.0), (40.0, 80.0), (20.0, 60.0), (60.0, 85.0)] {
                for jitter in [0.0, 0.5, 2.0] {
                    let course =
                        |t: f64| low + (high - low) * (t / period % 1.0) + jitter * noise(t);
                    assert_eq!(
                        first_alarm(86_400, course),
                        None,
                        "{period} s, {low}–{high} %, ±{jitter}"
                    );
                }
            }
        }
    }

    #[test]
    fn leak_under_a_sawtooth_is_forecast() {
        let course =
            |t: f64| (30.0 + 20.0 * (t / 300.0 % 1.0)).max(40.0) + (t - 3600.0).max(0.0) / 40.0;
        let alarm = first_alarm(7200, course).unwrap();
        assert!((3600..5600).contains(&alarm), "{alarm}");
    }

    #[test]
    fn plateau_is_no_leak() {
        let course = |t: f64| 20.0 + 60.0 * (1.0 - (-t / 120.0).exp()) + 0.3 * noise(t);
        assert_eq!(first_alarm(7200, course), None);
    }
}
