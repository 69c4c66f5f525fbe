//! Tracker: turns observations into a [`Reading`]. It owns everything that is known about the app: its
//! instance, windows, trends and detectors.
//!
//! Only [`KnownApp`] is persisted. Everything else is rebuilt after a sidecar restart; its absence never
//! weakens a guard.

use std::time::Duration;

use super::detectors::Detectors;
use super::extraction;
use super::reports::{PolledReport, ReportStatus, Reports};
use super::reset::{Part, Reset};
use super::state::KnownApp;
use super::windows::Windows;
use crate::config::PolicyConfig;
use crate::decision::{Action, Lane};
use crate::evidence::front_door;
use crate::features::Features;
use crate::forecast::{Forecast, Resource};
use crate::health::Health;
use crate::impairment::Assessment;
use crate::lane::{Classified, has_ended};
use crate::observation::{Observation, ProbeResult};
use crate::reading::Reading;
use crate::time::Time;
use crate::window::max_age;

/// Knowledge about the app from its health reports so far.
#[derive(Debug)]
pub(super) struct Tracker {
    app: KnownApp,
    reports: Reports,
    detectors: Detectors,
    /// Set if healing was paused in the latest poll.
    paused: bool,
    healthy_since: Option<Time>,
    last_poll: Option<Time>,
}

// === impl Tracker ===

impl Tracker {
    /// Returns a tracker that continues with a known app.
    pub(super) fn new(app: KnownApp, slow_window: Duration) -> Self {
        Self {
            app,
            reports: Reports::new(slow_window),
            detectors: Detectors::new(),
            paused: false,
            healthy_since: None,
            last_poll: None,
        }
    }

    /// Adds a poll. A poll not later than the last one changes no window or detector. `restarts_failed` is set
    /// if hard heals have reached the allowed number of failures.
    pub(super) fn observe(
        &mut self,
        now: Time,
        wall: Duration,
        observation: &Observation,
        restarts_failed: bool,
        config: &PolicyConfig,
    ) -> Reading {
        let is_new = self.last_poll.is_none_or(|last| now > last);
        self.reset_before(now, observation, config);
        let report = match &observation.care {
            ProbeResult::Valid(health, _) => Some(health),
            _ => None,
        };
        let status = report.map_or_else(ReportStatus::default, |health| {
            self.take_report(now, health, is_new, config)
        });
        let windows =
            report.map(|_| Windows::new(&self.reports.series.totals, &self.app.baseline, config));
        let polled = report.zip(windows.as_ref());
        let polled = polled.map(|(health, windows)| PolledReport {
            health,
            front_door: &observation.front_door,
            windows,
        });
        let features = self.features(now, wall, observation, polled, config);
        let is_current = is_new && !status.stale;
        let current = polled.filter(|_| is_current);
        if let Some(report) = current {
            let (reports, app) = (&mut self.reports, &mut self.app);
            let usual = &mut app.usual_errors;
            let errors = &mut reports.series.errors;
            errors.learn(now, report.health, usual, restarts_failed, config);
            self.detectors.detect(now, report, reports, app, config);
        }
        let health = current.map(|report| report.health);
        let (reports, app) = (&self.reports, &mut self.app);
        let detectors = &mut self.detectors;
        let impairment = detectors.assess(now, observation, health, reports, app, config);
        let classified = detectors.classify(now, observation, is_current, config);
        let mut reading = self.read(now, classified, observation, impairment, config);
        reading.stale = status.stale;
        reading.restarted = status.restarted;
        reading.features = features;
        reading.long_healthy = self.track_health(now, reading.healthy, windows.as_ref(), config);
        self.last_poll = self.last_poll.max(Some(now));
        reading
    }

    /// Clears what does not apply after the events between the last poll and this one.
    fn reset_before(&mut self, now: Time, observation: &Observation, config: &PolicyConfig) {
        // No window spans a longer time.
        let gap = max_age(config.slow_window);
        if self.last_poll.is_some_and(|last| now.since(last) > gap) {
            self.reset(Reset::Gap);
        }
        let paused = observation.circumstances.paused;
        if std::mem::replace(&mut self.paused, paused) && !paused {
            self.reset(Reset::Resume);
        }
        if has_ended(observation) {
            self.reset(Reset::ProcessEnd);
        }
    }

    /// Records that a treatment has started.
    pub(super) fn on_treatment(&mut self, now: Time, action: Action, slow_window: Duration) {
        self.detectors
            .on_treatment(now, action, &mut self.app.learned);
        self.app.last_treatment = Some(now);
        let before = self.reports.series.errors.before_treatment(slow_window);
        self.app.usual_errors.on_treatment(now, action, before);
        self.reset(Reset::Treatment);
    }

    /// Returns the knowledge that survives a sidecar restart.
    pub(super) fn known_app(&self) -> &KnownApp {
        &self.app
    }

    /// Returns the errors per request of the latest report. `None` if there were too few requests.
    pub(super) fn error_ratio(&self) -> Option<f64> {
        self.detectors.symptoms.errors.error_ratio()
    }

    /// Returns the forecast of a resource. `None` if its usage does not rise.
    pub(super) fn forecast(&self, resource: Resource) -> Option<&Forecast> {
        self.reports.series.trends.forecast(resource)
    }

    /// Clears the parts that do not apply after an event.
    fn reset(&mut self, event: Reset) {
        self.reports.reset(event);
        self.reset_detectors(event);
    }

    /// Clears the parts, other than the knowledge from reports, that do not apply after an event.
    fn reset_detectors(&mut self, event: Reset) {
        self.detectors.reset(event, &mut self.app.learned);
        if event.clears(Part::Health) {
            self.healthy_since = None;
        }
    }

    /// Adds a report to what is known of the instance, unless it is stale.
    fn take_report(
        &mut self,
        now: Time,
        health: &Health,
        is_new: bool,
        config: &PolicyConfig,
    ) -> ReportStatus {
        let status = self
            .reports
            .take(now, health, is_new, &mut self.app, config);
        for event in status.events.into_iter().flatten() {
            self.reset_detectors(event);
        }
        if status.restarted {
            let learned = &mut self.app.learned;
            self.detectors.impairment.on_app_start(now, learned);
        }
        status
    }

    /// Returns the features of a poll.
    fn features(
        &self,
        now: Time,
        wall: Duration,
        observation: &Observation,
        report: Option<PolledReport<'_>>,
        config: &PolicyConfig,
    ) -> Features {
        let mut features = Features::EMPTY;
        extraction::set_context(&mut features, now, wall, &self.app);
        extraction::set_front_door(&mut features, &observation.front_door);
        if let Some(report) = report {
            self.reports
                .set_features(&mut features, report, &config.forecast);
        }
        features
    }

    /// Returns the reading of the state after a poll.
    fn read(
        &self,
        now: Time,
        classified: Classified,
        observation: &Observation,
        impairment: Assessment,
        config: &PolicyConfig,
    ) -> Reading {
        let evidence = &config.evidence;
        let symptoms = &self.detectors.symptoms;
        let lane = classified.lane;
        let reported = lane == Lane::Reported;
        let least = config.impairment.soft_ratio;
        let impaired = impairment.ratio.is_some_and(|ratio| ratio >= least);
        let symptomatic = symptoms.is_symptomatic() || impaired;
        let same_process = observation.circumstances.process_alive == Some(true);
        let has_answered = self.app.instance.has_answered;
        let has_served = has_answered || observation.front_door == ProbeResult::NotProbed;
        let started = self.reports.lifecycle.has_started();
        let front_door_fails = front_door::fails(&observation.front_door);
        let trends = &self.reports.series.trends;
        let justified = symptoms.evidence(impairment, config);
        let unresponsive = symptoms.unresponsive_evidence(classified, same_process, evidence);
        let worst_route = symptoms.routes.worst().filter(|_| reported);
        let onsets = [symptoms.onset(), self.app.learned.impaired_since()];
        let onset = onsets.into_iter().flatten().min();
        let startup_grace = config.permission.startup_grace;
        Reading {
            lane,
            stale: false,
            restarted: false,
            has_been_ready: started,
            mature: started && self.reports.uptime.is_at_least(startup_grace, now),
            has_served,
            front_door_fails,
            available: self.app.instance.availability.is_available(),
            version_known: self.app.learned.is_version_known(),
            draining: self.reports.lifecycle.is_draining(now),
            healthy: reported && started && !symptomatic && !front_door_fails,
            long_healthy: false,
            symptomatic,
            soft_evidence: justified.soft.filter(|_| reported),
            ratio_sustained: symptoms.is_ratio_sustained(evidence),
            worst_route: worst_route.map(|worst| worst.position),
            hard_evidence: justified.hard.filter(|_| reported),
            unresponsive: unresponsive.filter(|_| started && has_served),
            usual_errors: symptoms.errors.are_usual(),
            error_ratio: symptoms.errors.error_ratio(),
            limit_alarm: trends.is_alarming(),
            limit_sustained: self.detectors.limit.is_sustained(config),
            limit_urgent: trends.is_urgent(&config.forecast),
            low_load: self.detectors.limit.is_low_load(),
            dependency_down: self.reports.dependencies.is_down(now),
            awaiting_checks: onset.is_some_and(|onset| {
                now.since(onset) < evidence.check_expiry
                    && self.reports.dependencies.has_check_older_than(onset)
            }),
            features: Features::EMPTY,
            impairment,
            starving: self.detectors.impairment.is_starving(),
        }
    }

    /// Tracks how long the app has been healthy and updates the baseline. Returns `true` if that is at
    /// least `reset_after`.
    fn track_health(
        &mut self,
        now: Time,
        healthy: bool,
        windows: Option<&Windows>,
        config: &PolicyConfig,
    ) -> bool {
        if !healthy {
            self.healthy_since = None;
            return false;
        }
        if self.last_poll.is_some_and(|last| now <= last) {
            return false;
        }
        if let (Some(last), Some(windows)) = (self.last_poll, windows)
            && windows.traffic.load.is_some()
        {
            self.app
                .baseline
                .learn(windows.traffic, now.seconds_since(last));
        }
        let since = *self.healthy_since.get_or_insert(now);
        now.since(since) >= config.outcome.reset_after
    }
}

#[cfg(test)]
mod tests;
