//! Series of the figures in the reports of one instance: totals, errors, and resources with a limit.

use std::time::Duration;

use super::reset::{Part, Reset};
use super::trends::Trends;
use crate::config::ForecastConfig;
use crate::evidence::error_history::ErrorHistory;
use crate::health::Health;
use crate::time::Time;
use crate::window::{History, Sample};

/// Series that end at the latest report.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) totals: History,
    pub(super) errors: ErrorHistory,
    pub(super) trends: Trends,
}

// === impl Series ===

impl Series {
    /// Returns empty series.
    pub(super) fn new(slow_window: Duration) -> Self {
        Self {
            totals: History::new(slow_window),
            errors: ErrorHistory::new(),
            trends: Trends::new(),
        }
    }

    /// Begins at the start of an app, when all totals were zero. `sample` is that of its first report.
    pub(super) fn begin(&mut self, start_time: Time, health: &Health, sample: &Sample) {
        let zero = sample.at_start(start_time);
        self.totals.push(zero, health.latency.as_ref());
        self.errors.push(start_time, 0, 0);
    }

    /// Adds the totals and the resources of a report.
    pub(super) fn push(
        &mut self,
        now: Time,
        health: &Health,
        sample: Sample,
        config: &ForecastConfig,
    ) {
        self.totals.push(sample, health.latency.as_ref());
        self.trends.push(now, health, config);
    }

    /// Returns `true` if a total of a report is smaller than in the latest one.
    pub(super) fn fell(&self, sample: &Sample) -> bool {
        self.totals
            .newest()
            .is_some_and(|newest| sample.is_reset_since(newest))
    }

    /// Clears the parts that do not apply after an event.
    pub(super) fn reset(&mut self, event: Reset) {
        if event.clears(Part::History) {
            self.totals.clear();
            self.errors.clear();
        }
        self.trends.reset(event);
    }
}
