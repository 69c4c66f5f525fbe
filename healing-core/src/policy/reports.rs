//! Reports of the instance that is known: its age, what it declares, and the series of its figures.

use std::time::Duration;

use super::extraction;
use super::instance::{Identity, InstanceMatch};
use super::lifecycle::Lifecycle;
use super::reset::{Part, Reset};
use super::series::Series;
use super::state::KnownApp;
use super::uptime::{Uptime, age};
use super::windows::Windows;
use crate::config::{ForecastConfig, PolicyConfig};
use crate::evidence::dependencies::Dependencies;
use crate::features::Features;
use crate::health::Health;
use crate::observation::ProbeResult;
use crate::time::Time;
use crate::window::Sample;

/// Knowledge about the instance from its reports.
#[derive(Debug)]
pub(super) struct Reports {
    pub(super) uptime: Uptime,
    pub(super) lifecycle: Lifecycle,
    pub(super) dependencies: Dependencies,
    pub(super) series: Series,
}

/// Report of one poll, with the windows that end at it and the probe of the front door.
#[derive(Debug, Clone, Copy)]
pub(super) struct PolledReport<'a> {
    pub(super) health: &'a Health,
    pub(super) windows: &'a Windows,
    pub(super) front_door: &'a ProbeResult<()>,
}

/// Status of a report, and the events that it shows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReportStatus {
    /// Set if the report is older than one that was taken before.
    pub(super) stale: bool,
    /// Set if the report comes from another process than the one before.
    pub(super) restarted: bool,
    /// Events after which earlier polls do not count.
    pub(super) events: [Option<Reset>; 3],
}

// === impl Reports ===

impl Reports {
    /// Returns the knowledge before the first report.
    pub(super) fn new(slow_window: Duration) -> Self {
        Self {
            uptime: Uptime::default(),
            lifecycle: Lifecycle::default(),
            dependencies: Dependencies::default(),
            series: Series::new(slow_window),
        }
    }

    /// Adds a report, unless it is stale. `is_new` is set if its poll is later than the last one.
    pub(super) fn take(
        &mut self,
        now: Time,
        health: &Health,
        is_new: bool,
        app: &mut KnownApp,
        config: &PolicyConfig,
    ) -> ReportStatus {
        let sample = Sample::of(health, now);
        let identity = Identity {
            id: health.instance_id.as_deref(),
            uptime: self.uptime.in_report(health),
            totals_fell: self.series.fell(&sample),
        };
        let Some(matched) = self.uptime.identify(&app.instance, identity) else {
            return ReportStatus {
                stale: true,
                ..ReportStatus::default()
            };
        };
        let is_same = matched == InstanceMatch::Same;
        let age = age(identity.uptime);
        let start_time = now - age;
        let dependencies = Dependencies::of_report(health, now, config.evidence.check_expiry);
        let recovered = is_new && dependencies.has_recovered_since(&self.dependencies, now);
        let status = ReportStatus {
            stale: false,
            restarted: !is_same && app.start_instance(now, identity.id, start_time, matched),
            events: [
                (!is_same).then_some(Reset::AppStart),
                (is_same && is_new && identity.totals_fell).then_some(Reset::CounterReset),
                recovered.then_some(Reset::DependencyRecovered),
            ],
        };
        for event in status.events.into_iter().flatten() {
            self.reset(event);
        }
        if !is_same || is_new {
            self.uptime.set(now, identity.uptime);
        }
        // For an app younger than two slow windows, assume all totals started at zero, unless it was
        // treated since it started. Errors from before the recovery of a dependency do not count.
        let is_young = age <= config.slow_window.saturating_mul(2) && start_time < now;
        let untreated = app.last_treatment.is_none_or(|at| at < start_time);
        if !is_same && is_young && untreated && !recovered {
            self.series.begin(start_time, health, &sample);
        }
        if is_new {
            self.dependencies = dependencies;
            self.lifecycle.observe(now, health);
            self.series.push(now, health, sample, &config.forecast);
        } else {
            self.add_vetoes(now, health, dependencies);
        }
        status
    }

    /// Adds a report of a duplicate poll, of which only a drain and a failing dependency count.
    fn add_vetoes(&mut self, now: Time, health: &Health, dependencies: Dependencies) {
        self.lifecycle.observe_drain(now, health);
        if dependencies.is_down(now) {
            self.dependencies = dependencies;
        }
    }

    /// Clears the parts that do not apply after an event.
    pub(super) fn reset(&mut self, event: Reset) {
        self.series.reset(event);
        if event.clears(Part::Readiness) {
            self.lifecycle = Lifecycle::default();
        }
    }

    /// Sets the features of a report.
    pub(super) fn set_features(
        &self,
        features: &mut Features,
        report: PolledReport<'_>,
        config: &ForecastConfig,
    ) {
        let PolledReport {
            health, windows, ..
        } = report;
        extraction::set_snapshot(features, health);
        extraction::set_checks(features, &self.dependencies);
        extraction::set_windows(features, windows, health.cpu_usage);
        extraction::set_trends(features, &self.series.trends, config);
    }
}
