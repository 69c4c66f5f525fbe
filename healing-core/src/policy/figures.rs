//! From an answer and the windows to features, and from features to what lasts.

use std::time::Duration;

use super::{Policy, health_of};
use crate::baseline::Figures;
use crate::evidence::{Shown, Signs, availability, cpu_saturation, harm, panics, runtime_lag};
use crate::features::{Feature, Features};
use crate::forecast::{Forecast, Trend};
use crate::health::{Health, Runtime};
use crate::lane::Classified;
use crate::observation::{Observation, ProbeResult};
use crate::permission::veto::is_overloaded;
use crate::slope::{self, POINTS};
use crate::time::Time;
use crate::window::as_f64;

/// Fewer requests than this in the fast window say nothing about durations.
const LATENCY_REQUESTS: u64 = 20;
/// Below this rate an app has hardly any traffic.
const IDLE_RATE: f64 = 1.0;
const DAY: f64 = 86_400.0;

pub(super) fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * as_f64(part) / as_f64(whole))
}

// === impl Policy ===

impl Policy {
    /// All features of this poll.
    pub(super) fn figures(&self, now: Time, wall: Duration, observation: &Observation) -> Features {
        let mut features = Features::EMPTY;
        let hour = wall.as_secs() / 3600 % 24;
        features.set(Feature::HourOfDay, as_f64(hour));
        let since_heal = self
            .durable
            .last_treated
            .map_or(DAY, |treated| now.seconds_since(treated));
        features.set(Feature::SinceLastHeal, since_heal);
        features.set(Feature::RecentRestarts, self.durable.recent_starts(now));
        if let ProbeResult::Valid((), latency) = observation.front_door {
            features.set(Feature::FrontDoorLatency, latency.as_secs_f64());
        }
        if let Some(health) = health_of(&observation.care) {
            snapshot(&mut features, health);
            self.windowed(&mut features, health.cpu_usage);
        }
        features
    }

    fn windowed(&self, features: &mut Features, cpu: Option<f64>) {
        let seen = &self.seen;
        features.set_option(Feature::FailingDependencies, seen.dependencies.failing);
        features.set_option(Feature::FailingLocals, seen.dependencies.locals_failing);
        let now = self.load();
        features.set_option(Feature::RequestRate, now.load);
        let relative = self.durable.baseline.compare(now, self.config.slow_window);
        features.set_option(Feature::LoadRatio, relative.load);
        features.set_option(Feature::P50Ratio, relative.p50);
        features.set_option(Feature::P99Ratio, relative.p99);
        if let (Some(rate), Some(cpu)) = (now.load, cpu) {
            features.set(
                Feature::CpuWithoutTraffic,
                if rate < IDLE_RATE { cpu } else { 0.0 },
            );
        }
        if let Some(fast) = seen.history.delta(self.config.fast_window) {
            features.set_option(Feature::ErrorRatioFast, fast.ratio(fast.errors));
        }
        if let Some(slow) = seen.history.delta(self.config.slow_window) {
            features.set_option(Feature::ErrorRatioSlow, slow.ratio(slow.errors));
            features.set_option(Feature::PanicRatio, slow.ratio(slow.panics));
        }
        features.set_option(Feature::InFlightTrend, self.in_flight_trend());
        if seen.memory.is_known() {
            let slope = seen
                .memory
                .forecast()
                .map_or(0.0, |forecast| forecast.percent_per_minute);
            features.set(Feature::MemorySlope, slope);
            features.set(Feature::MemoryTimeToLimit, self.time_to_limit(&seen.memory));
        }
        if seen.file_descriptors.is_known() {
            features.set(
                Feature::FdTimeToLimit,
                self.time_to_limit(&seen.file_descriptors),
            );
        }
    }

    /// Seconds to the limit of a growth that is steady, else the most there is.
    fn time_to_limit(&self, trend: &Trend) -> f64 {
        let steady =
            |forecast: &&Forecast| forecast.confidence >= self.config.forecast.min_confidence;
        trend
            .forecast()
            .filter(steady)
            .map_or(DAY, |forecast| forecast.time_to_limit.as_secs_f64())
    }

    fn in_flight_trend(&self) -> Option<f64> {
        let mut points = [(0.0_f32, 0.0_f32); POINTS];
        let total = self.seen.history.in_flight(self.config.slow_window).count();
        let stride = total.div_ceil(POINTS).max(1);
        let mut len = 0;
        for point in self
            .seen
            .history
            .in_flight(self.config.slow_window)
            .step_by(stride)
        {
            points[len] = point;
            len += 1;
        }
        slope::fit(&points[..len]).map(|line| line.slope)
    }

    /// Load and durations in the fast window.
    fn load(&self) -> Figures {
        let history = &self.seen.history;
        let Some(fast) = history.delta(self.config.fast_window) else {
            return Figures::default();
        };
        let enough = fast
            .requests
            .is_some_and(|requests| requests >= LATENCY_REQUESTS);
        Figures {
            load: fast.per_second(fast.arrivals),
            p50: enough.then(|| history.quantile(&fast, 0.5)).flatten(),
            p99: enough.then(|| history.quantile(&fast, 0.99)).flatten(),
        }
    }

    /// Lets a poll count: what it shows is added to what lasts.
    pub(super) fn observe(
        &mut self,
        now: Time,
        classified: Classified,
        observation: &Observation,
        features: &Features,
    ) {
        let runtime = health_of(&observation.care).and_then(|health| health.runtime.as_ref());
        self.seen
            .silence
            .observe(now, classified, runtime.and_then(tick_age));
        if health_of(&observation.care).is_none() {
            return;
        }
        let fast = self.seen.history.delta(self.config.fast_window);
        let slow = self.seen.history.delta(self.config.slow_window);
        let evidence = &self.config.evidence;
        let signs = Signs::read(fast.as_ref(), slow.as_ref(), evidence);
        self.seen.errors.observe(now, signs);
        let harm = harm::shows(features, signs, evidence);
        self.seen.harmed = harm;
        let care = answered_in(&observation.care);
        let shown = Shown {
            panics: panics::shows(fast.as_ref(), slow.as_ref(), evidence),
            runtime_lag: runtime_lag::shows(features, harm, care, evidence),
            cpu_saturated: cpu_saturation::shows(features, harm, evidence),
        };
        self.seen.trouble.observe(now, shown);
        let well = availability::serves_well(slow.as_ref(), signs, evidence.count_share)
            && !self.seen.trouble.is_symptomatic();
        self.durable
            .instance
            .availability
            .observe(now, well, &self.config.outcome);
        self.seen.alarms = if self.alarming().next().is_some() {
            self.seen.alarms.saturating_add(1)
        } else {
            0
        };
        let load = self.load();
        let relative = self.durable.baseline.compare(load, self.config.slow_window);
        self.seen.overloaded = is_overloaded(relative, &self.config.evidence);
        let alone = features
            .get(Feature::InFlight)
            .is_none_or(|in_flight| in_flight <= 1.0);
        self.seen.quiet = relative
            .load
            .is_some_and(|load| load <= self.config.forecast.low_load_ratio)
            || (alone && load.load.is_some_and(|rate| rate < IDLE_RATE));
    }

    /// A healthy poll adds to what is usual.
    pub(super) fn learn_usual(&mut self, now: Time) {
        let Some(last) = self.seen.last_poll else {
            return;
        };
        let mut figures = self.load();
        if figures.load.is_some() {
            if self.seen.harmed {
                // A load that clients suffer from does not become the usual one. Durations do, slowly:
                // an app that is slower from now on is not harmed for ever.
                figures.load = None;
            }
            let seconds = now.seconds_since(last);
            self.durable.baseline.learn(figures, seconds);
        }
    }
}

/// The figures that need no window.
fn snapshot(features: &mut Features, health: &Health) {
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

/// Seconds that an answer took.
fn answered_in<T>(answer: &ProbeResult<T>) -> f64 {
    match answer {
        ProbeResult::Valid(_, took) => took.as_secs_f64(),
        _ => f64::INFINITY,
    }
}

/// How long the runtime has not ticked, if it says that it stalls.
fn tick_age(runtime: &Runtime) -> Option<Duration> {
    runtime
        .stalled
        .then(|| Duration::try_from_secs_f64(runtime.tick_age_seconds).ok())
        .flatten()
}
