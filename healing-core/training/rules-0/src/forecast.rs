//! Time to a limit: memory and file descriptors are watched for a steady growth, and the growth is
//! carried on into the future.
//!
//! Two views, a near and a far one (24 points each), so that a leak of minutes and one of an hour are
//! both seen. A growth counts from the view's last low, and it is carried on by at most `reach` times
//! as long as it was seen: who has watched for ten minutes may speak of the next four. That is what
//! tells a leak from a sawtooth (caches, garbage collectors), together with *relief*: a level from
//! which the app came down by itself before is no alarm. Descriptors are carried on for as long as
//! their growth was seen (`fd_max_extrapolation`): nothing collects them.
//!
//! Hazard: the first tooth of a sawtooth that ends close to the limit cannot be told from a leak.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::ForecastConfig;
use crate::slope::{self, POINTS};
use crate::time::Time;

/// What grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Working set against the memory limit.
    Memory,
    /// Open file descriptors against the process's limit.
    FileDescriptors,
}

/// A growth and where it leads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// What grows.
    pub resource: Resource,
    /// When the limit is hit if it goes on like this.
    pub time_to_limit: Duration,
    /// How steady the growth is, 0–1: the share of pairs of points that rise, minus those that fall.
    pub confidence: f64,
    /// Growth per minute in percent of the limit.
    pub percent_per_minute: f64,
    /// How long it has been seen.
    pub seen_for: Duration,
    /// Whether it is sure and near enough to act on.
    pub alarming: bool,
}

/// The recent course of one resource, in percent of its limit.
#[derive(Debug)]
pub(crate) struct Trend {
    resource: Resource,
    near: View,
    far: View,
    relief: Relief,
    forecast: Option<Forecast>,
    /// When the forecast's limit is hit.
    limit_at: Time,
}

#[derive(Debug)]
struct View {
    times: [Time; POINTS],
    values: [f32; POINTS],
    len: usize,
}

/// The highest level from which the resource came down by itself.
#[derive(Debug, Default)]
struct Relief {
    last: f32,
    peak: f32,
    level: f32,
}

/// Growth below this is within what measuring and allocators do.
const LEAST_GROWTH: f32 = 2.0;
/// Points that a growth needs.
const LEAST_POINTS: usize = 6;

// === impl Trend ===

impl Trend {
    pub(crate) fn new(resource: Resource) -> Self {
        Self {
            resource,
            near: View::new(),
            far: View::new(),
            relief: Relief::default(),
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
        self.relief.peak = 0.0;
        self.relief.last = 0.0;
    }

    /// Takes a reading. Slopes are made anew only with a new point, so most polls cost nothing.
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
        self.relief.push(percent);
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

    /// The growth that leads to the limit first, those to act on before others.
    pub(crate) fn forecast(&self) -> Option<&Forecast> {
        self.forecast.as_ref()
    }

    /// Readings there are: without any, the resource is unknown.
    pub(crate) fn is_known(&self) -> bool {
        self.near.len > 0
    }

    /// Reports if a peak that could become the high-water mark has been seen.
    fn forecast_of(
        &self,
        at: Time,
        growth: Growth,
        percent: f32,
        config: &ForecastConfig,
    ) -> Forecast {
        let time_to_limit = growth.limit_at.since(at);
        let reach = match self.resource {
            Resource::Memory => config.max_extrapolation,
            Resource::FileDescriptors => config.fd_max_extrapolation,
        } * growth.seen_for.as_secs_f64();
        let goes_on = percent >= growth.level - LEAST_GROWTH;
        let relieved = percent <= self.relief.level + LEAST_GROWTH;
        Forecast {
            resource: self.resource,
            time_to_limit,
            confidence: growth.steadiness,
            percent_per_minute: growth.slope * 60.0,
            seen_for: growth.seen_for,
            alarming: growth.steadiness >= config.min_confidence
                && f64::from(percent) >= config.min_usage_percent
                && time_to_limit.as_secs_f64() <= reach
                && goes_on
                && !relieved,
        }
    }
}

/// A rise since the last low.
#[derive(Clone, Copy)]
struct Growth {
    slope: f64,
    /// At the view's newest point, by the line.
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

    /// Whether it was time for a new point. A gap of a whole view starts it anew.
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
        if len < LEAST_POINTS || values[self.len - 1] - values[start] < LEAST_GROWTH {
            return None;
        }
        let line = slope::fit(&points[..len])?;
        // What levels off is judged by its later half.
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

// === impl Relief ===

impl Relief {
    /// A peak is what two points in a row reach, so that one outlier is none.
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
