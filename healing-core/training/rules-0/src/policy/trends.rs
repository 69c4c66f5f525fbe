//! Trends of the resources that have a limit: memory and file descriptors.

use super::features::percent;
use super::reset::{Part, Reset};
use crate::config::ForecastConfig;
use crate::forecast::{Forecast, Resource, Trend};
use crate::health::Health;
use crate::time::Time;

#[derive(Debug)]
pub(super) struct Trends {
    pub(super) memory: Trend,
    pub(super) file_descriptors: Trend,
}

impl Trends {
    pub(super) fn new() -> Self {
        Self {
            memory: Trend::new(Resource::Memory),
            file_descriptors: Trend::new(Resource::FileDescriptors),
        }
    }

    /// Adds the figures of an answer.
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

    /// Clears the parts that an event makes meaningless.
    pub(super) fn reset(&mut self, event: Reset) {
        for trend in [&mut self.memory, &mut self.file_descriptors] {
            if event.clears(Part::Trends) {
                trend.reset();
            } else if event.clears(Part::HighWaterMarks) {
                trend.reset_peak();
            }
        }
    }

    /// Returns the forecast of a resource, where it grows steadily.
    pub(super) fn forecast(&self, resource: Resource) -> Option<&Forecast> {
        match resource {
            Resource::Memory => self.memory.forecast(),
            Resource::FileDescriptors => self.file_descriptors.forecast(),
        }
    }

    /// Returns the forecasts that are sure and near enough to act on.
    pub(super) fn alarms(&self) -> impl Iterator<Item = &Forecast> {
        [&self.memory, &self.file_descriptors]
            .into_iter()
            .filter_map(|trend| trend.forecast())
            .filter(|forecast| forecast.alarming)
    }
}
