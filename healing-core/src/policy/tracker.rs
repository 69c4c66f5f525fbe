//! Tracker: turns observations into a [`Reading`]. It owns everything that is known about the app: its
//! instance, windows, trends and detectors.
//!
//! Only [`KnownApp`] is persisted. Everything else is rebuilt after a sidecar restart; its absence never
//! weakens a guard.

use std::time::Duration;

use super::extraction;
use super::instance::{Identity, InstanceMatch, ReportStatus};
use super::lifecycle::Lifecycle;
use super::limit::LimitDetector;
use super::reset::{Part, Reset};
use super::series::Series;
use super::state::KnownApp;
use super::symptoms::{PolledReport, SymptomTracker};
use super::uptime::{self, Uptime};
use super::windows::Windows;
use crate::config::PolicyConfig;
use crate::decision::{Action, Lane};
use crate::evidence::dependencies::Dependencies;
use crate::evidence::front_door;
use crate::features::Features;
use crate::forecast::{Forecast, Resource};
use crate::health::Health;
use crate::impairment::{Assessment, Impairment, InstanceState};
use crate::lane::{Classified, Stall, classify, has_ended};
use crate::observation::{Observation, ProbeResult};
use crate::reading::Reading;
use crate::time::Time;
use crate::window::{Sample, max_age};

/// Knowledge about the app from its health reports so far.
#[derive(Debug)]
pub(super) struct Tracker {
    app: KnownApp,
    uptime: Uptime,
    lifecycle: Lifecycle,
    dependencies: Dependencies,
    series: Series,
    symptoms: SymptomTracker,
    limit: LimitDetector,
    impairment: Impairment,
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
            uptime: Uptime::default(),
            lifecycle: Lifecycle::default(),
            dependencies: Dependencies::default(),
            series: Series::new(slow_window),
            symptoms: SymptomTracker::default(),
            limit: LimitDetector::default(),
            impairment: Impairment::new(),
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
        let windows = report.map(|_| Windows::new(&self.series.totals, &self.app.baseline, config));
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
            self.detect(now, report, &features, restarts_failed, config);
        }
        let health = current.map(|report| report.health);
        let impairment = self.assess(now, observation, health, config);
        let classified = self.classify(now, observation, is_current, config);
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

    /// Assesses the impairment after a poll.
    fn assess(
        &mut self,
        now: Time,
        observation: &Observation,
        report: Option<&Health>,
        config: &PolicyConfig,
    ) -> Assessment {
        let instance = InstanceState {
            serves: self.lifecycle.has_started() && !self.lifecycle.is_draining(now),
            has_answered: self.app.instance.has_answered,
            usual_error_share: self.app.usual_errors.share(),
        };
        let learned = &mut self.app.learned;
        let config = &config.impairment;
        self.impairment
            .observe(now, observation, report, instance, learned, config)
    }

    /// Returns the lane of a poll, and counts the time for which the app has been unresponsive.
    fn classify(
        &mut self,
        now: Time,
        observation: &Observation,
        is_current: bool,
        config: &PolicyConfig,
    ) -> Classified {
        let stall = Stall {
            proven: self.symptoms.stall.is_proven(),
            refuted: self.impairment.makes_progress(),
        };
        let classified = classify(observation, stall);
        if is_current {
            let answers = front_door::answers(&observation.front_door);
            self.symptoms
                .unresponsive
                .observe(now, classified, answers, &config.evidence);
        }
        classified
    }

    /// Records that a treatment has started.
    pub(super) fn on_treatment(&mut self, now: Time, action: Action, slow_window: Duration) {
        if action == Action::RestartService {
            self.impairment.on_restart(now, &mut self.app.learned);
        } else {
            self.impairment.on_soft_heal(now, &mut self.app.learned);
        }
        self.app.last_treatment = Some(now);
        let before = self.series.errors.before_treatment(slow_window);
        self.app.usual_errors.on_treatment(now, action, before);
        self.symptoms.routes.on_treatment(now);
        self.reset(Reset::Treatment);
    }

    /// Returns the knowledge that survives a sidecar restart.
    pub(super) fn known_app(&self) -> &KnownApp {
        &self.app
    }

    /// Returns the errors per request of the latest report. `None` if there were too few requests.
    pub(super) fn error_ratio(&self) -> Option<f64> {
        self.symptoms.errors.error_ratio()
    }

    /// Returns the forecast of a resource. `None` if its usage does not rise.
    pub(super) fn forecast(&self, resource: Resource) -> Option<&Forecast> {
        self.series.trends.forecast(resource)
    }

    /// Clears the parts that do not apply after an event.
    fn reset(&mut self, event: Reset) {
        self.series.reset(event);
        self.symptoms.reset(event);
        self.limit.reset(event);
        if event.clears(Part::Impairment) {
            self.impairment.clear(&mut self.app.learned);
        }
        if event.clears(Part::Health) {
            self.healthy_since = None;
        }
        if event.clears(Part::Readiness) {
            self.lifecycle = Lifecycle::default();
        }
    }

    /// Adds a report to instance and series, unless it is stale.
    fn take_report(
        &mut self,
        now: Time,
        health: &Health,
        is_new: bool,
        config: &PolicyConfig,
    ) -> ReportStatus {
        let sample = Sample::of(health, now);
        let identity = Identity {
            id: health.instance_id.as_deref(),
            uptime: self.uptime.in_report(health),
            totals_fell: self.series.fell(&sample),
        };
        let Some(matched) = self.uptime.identify(&self.app.instance, identity) else {
            return ReportStatus {
                stale: true,
                restarted: false,
            };
        };
        let is_same = matched == InstanceMatch::Same;
        let restarted =
            !is_same && self.start_instance(now, health, identity, &sample, matched, config);
        if !is_same || is_new {
            self.uptime.set(now, identity.uptime);
        }
        let dependencies = Dependencies::of_report(health, now, config.evidence.check_expiry);
        if is_new {
            if is_same && identity.totals_fell {
                self.reset(Reset::CounterReset);
            }
            if dependencies.has_recovered_since(&self.dependencies, now) {
                self.reset(Reset::DependencyRecovered);
            }
            self.dependencies = dependencies;
            self.lifecycle.observe(now, health);
            self.series.push(now, health, sample, &config.forecast);
        } else {
            // A duplicate poll can only add a veto.
            self.lifecycle.observe_drain(now, health);
            if dependencies.is_down(now) {
                self.dependencies = dependencies;
            }
        }
        ReportStatus {
            stale: false,
            restarted,
        }
    }

    /// Records another instance, or the first one since the sidecar started. Returns `true` if the app
    /// has restarted.
    fn start_instance(
        &mut self,
        now: Time,
        health: &Health,
        identity: Identity<'_>,
        sample: &Sample,
        matched: InstanceMatch,
        config: &PolicyConfig,
    ) -> bool {
        let age = uptime::age(identity.uptime);
        let start_time = now - age;
        let restarted = self
            .app
            .start_instance(now, identity.id, start_time, matched);
        self.reset(Reset::AppStart);
        if restarted {
            self.impairment.on_app_start(now, &mut self.app.learned);
        }
        // For an app younger than two slow windows, assume all totals started at zero, unless it was
        // treated since it started.
        let last_treatment = self.app.last_treatment;
        let untreated = last_treatment.is_none_or(|at| at < start_time);
        if untreated && age <= config.slow_window.saturating_mul(2) && start_time < now {
            self.series.begin(start_time, health, sample);
        }
        restarted
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
        if let Some(PolledReport {
            health, windows, ..
        }) = report
        {
            extraction::set_snapshot(&mut features, health);
            extraction::set_checks(&mut features, &self.dependencies);
            extraction::set_windows(&mut features, windows, health.cpu_usage);
            extraction::set_trends(&mut features, &self.series.trends, &config.forecast);
        }
        features
    }

    /// Adds a report to the detectors of the app's figures.
    fn detect(
        &mut self,
        now: Time,
        report: PolledReport<'_>,
        features: &Features,
        restarts_failed: bool,
        config: &PolicyConfig,
    ) {
        let health = report.health;
        let KnownApp {
            instance,
            usual_errors,
            ..
        } = &mut self.app;
        instance.has_answered |= front_door::answers(report.front_door);
        let series = &mut self.series;
        series
            .errors
            .learn(now, health, usual_errors, restarts_failed, config);
        let alarm = series.trends.is_alarming();
        self.limit
            .observe(now, alarm, report.windows, features, config);
        let serves = self
            .symptoms
            .observe(now, report, series, &self.app, config);
        let availability = &mut self.app.instance.availability;
        availability.observe(now, serves, &config.outcome);
        availability.observe_age(health, config.evidence.count_share, &config.outcome);
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
        let symptoms = &self.symptoms;
        let lane = classified.lane;
        let reported = lane == Lane::Reported;
        let impaired = impairment
            .ratio
            .is_some_and(|ratio| ratio >= config.impairment.soft_ratio);
        let symptomatic = symptoms.is_symptomatic() || impaired;
        let same_process = observation.circumstances.process_alive == Some(true);
        let has_answered = self.app.instance.has_answered;
        let has_served = has_answered || observation.front_door == ProbeResult::NotProbed;
        let started = self.lifecycle.has_started();
        let front_door_fails = front_door::fails(&observation.front_door);
        let trends = &self.series.trends;
        let justified = symptoms.evidence(impairment, config);
        let only_a_route = symptoms.only_a_route_fails();
        let worst_route = symptoms.routes.worst().filter(|_| reported);
        let onset = symptoms.onset().unwrap_or(now);
        let startup_grace = config.permission.startup_grace;
        Reading {
            lane,
            stale: false,
            restarted: false,
            has_been_ready: started,
            mature: started && self.uptime.is_at_least(startup_grace, now),
            has_served,
            front_door_fails,
            available: self.app.instance.availability.is_available(),
            version_known: self.app.learned.is_version_known(),
            draining: self.lifecycle.is_draining(now),
            healthy: reported && started && !symptomatic && !front_door_fails,
            long_healthy: false,
            symptomatic,
            soft_evidence: justified.soft.filter(|_| reported),
            ratio_sustained: !only_a_route && symptoms.errors.is_ratio_sustained(evidence),
            worst_route: worst_route.map(|worst| worst.position),
            hard_evidence: justified.hard.filter(|_| reported),
            unresponsive: symptoms
                .unresponsive
                .hard_evidence(
                    classified,
                    symptoms.stall.is_proven(),
                    same_process,
                    evidence,
                )
                .filter(|_| started && has_served),
            usual_errors: symptoms.errors.are_usual(),
            error_ratio: symptoms.errors.error_ratio(),
            limit_alarm: trends.is_alarming(),
            limit_sustained: self.limit.is_sustained(config),
            limit_urgent: trends.is_urgent(&config.forecast),
            low_load: self.limit.is_low_load(),
            dependency_down: self.dependencies.is_down(now),
            awaiting_checks: now.since(onset) < evidence.check_expiry
                && self.dependencies.has_check_older_than(onset),
            features: Features::EMPTY,
            impairment,
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
