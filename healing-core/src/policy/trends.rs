//! Trends of the resources that have a limit: memory and file descriptors.

use super::reset::{Part, Reset};
use crate::config::ForecastConfig;
use crate::forecast::{Forecast, Resource, Trend};
use crate::health::Health;
use crate::number::as_f64;
use crate::time::Time;

/// Trend of each resource.
#[derive(Debug)]
pub(super) struct Trends {
    pub(super) memory: Trend,
    pub(super) file_descriptors: Trend,
}

impl Trends {
    /// Returns trends without points.
    pub(super) fn new() -> Self {
        Self {
            memory: Trend::new(Resource::Memory),
            file_descriptors: Trend::new(Resource::FileDescriptors),
        }
    }

    /// Adds the figures of a report.
    pub(super) fn push(&mut self, now: Time, health: &Health, config: &ForecastConfig) {
        let vitals = health.vitals.as_ref();
        let percent = |part: Option<u64>, whole: Option<u64>| percent(part?, whole?);
        let memory = vitals
            .and_then(|v| percent(v.memory_working_set_bytes, v.memory_limit_bytes))
            .or(health.memory_usage);
        let fds = vitals.and_then(|v| percent(v.open_fds, v.max_fds));
        self.memory.push(now, memory, config);
        self.file_descriptors.push(now, fds, config);
    }

    /// Clears the parts that do not apply after an event.
    pub(super) fn reset(&mut self, event: Reset) {
        for trend in [&mut self.memory, &mut self.file_descriptors] {
            if event.clears(Part::Trends) {
                trend.reset();
            } else if event.clears(Part::Peaks) {
                trend.reset_peak();
            }
        }
    }

    /// Returns the forecast of a resource. `None` if its usage does not rise.
    pub(super) fn forecast(&self, resource: Resource) -> Option<&Forecast> {
        match resource {
            Resource::Memory => self.memory.forecast(),
            Resource::FileDescriptors => self.file_descriptors.forecast(),
        }
    }

    /// Returns `true` if a forecast is alarming: steady and close enough to act on.
    pub(super) fn is_alarming(&self) -> bool {
        self.alarms().next().is_some()
    }

    /// Returns `true` if an alarming forecast is too close to wait for low load.
    pub(super) fn is_urgent(&self, config: &ForecastConfig) -> bool {
        self.alarms()
            .any(|forecast| forecast.time_to_limit <= config.urgent_below)
    }

    fn alarms(&self) -> impl Iterator<Item = &Forecast> {
        [&self.memory, &self.file_descriptors]
            .into_iter()
            .filter_map(|trend| trend.forecast())
            .filter(|forecast| forecast.alarming)
    }
}

/// Returns `part` in percent of `whole`; `None` if `whole` is 0.
pub(super) fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * as_f64(part) / as_f64(whole))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::Vitals;

    #[test]
    fn memory_is_relative_to_the_limit_if_it_is_known() {
        let mut trends = Trends::new();
        let config = ForecastConfig::default();
        for poll in 0..60_u64 {
            let health = Health {
                memory_usage: Some(10.0),
                vitals: Some(Vitals {
                    memory_working_set_bytes: Some(500 + 8 * poll),
                    memory_limit_bytes: Some(1000),
                    ..Vitals::default()
                }),
                ..Health::default()
            };
            let at = Time::default() + Duration::from_secs(15 * poll);
            trends.push(at, &health, &config);
        }
        let forecast = trends.forecast(Resource::Memory).unwrap();
        assert!((forecast.percent_per_minute - 3.2).abs() < 0.1);
        assert!(forecast.alarming);
        assert_eq!(trends.alarms().count(), 1);
        assert_eq!(trends.forecast(Resource::FileDescriptors), None);
    }
}
