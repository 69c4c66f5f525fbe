//! Tracker: turns observations into a [`Reading`]. It owns everything that is known about the app: its
//! instance, windows, trends and detectors.
//!
//! Only [`KnownApp`] is persisted. Everything else is rebuilt after a sidecar restart; its absence never
//! weakens a guard.

use std::time::Duration;

use super::extraction;
use super::instance::{Identity, InstanceMatch, ReportStatus, identify};
use super::lifecycle::Lifecycle;
use super::reset::{Part, Reset};
use super::state::KnownApp;
use super::symptoms::{DetectorInput, SymptomTracker};
use super::trends::Trends;
use super::windows::Windows;
use crate::config::{POLL_INTERVALS, PolicyConfig};
use crate::decision::{Action, Lane};
use crate::evidence::dependencies::Dependencies;
use crate::evidence::error_history::ErrorHistory;
use crate::evidence::{ErrorSignal, ErrorWindows, availability, front_door};
use crate::features::Features;
use crate::forecast::{Forecast, Resource};
use crate::health::Health;
use crate::impairment::{Assessment, Impairment, InstanceState};
use crate::lane::{Classified, Stall, classify, has_ended, serves};
use crate::observation::{Observation, ProbeResult};
use crate::reading::Reading;
use crate::time::Time;
use crate::window::{History, Sample};

/// Consecutive stale reports to ignore before accepting the next one as current.
const MAX_STALE: u32 = 2;

/// Knowledge about the app from its health reports so far.
#[derive(Debug)]
pub(super) struct Tracker {
    app: KnownApp,
    history: History,
    error_history: ErrorHistory,
    trends: Trends,
    symptoms: SymptomTracker,
    impairment: Impairment,
    dependencies: Dependencies,
    lifecycle: Lifecycle,
    /// Start of this instance. `None` before its first report.
    start_time: Option<Time>,
    /// Set if healing was paused in the latest poll.
    paused: bool,
    /// Uptime in seconds, as the app reports it.
    uptime: f64,
    /// Number of consecutive stale reports.
    stale_reports: u32,
    healthy_since: Option<Time>,
    last_poll: Option<Time>,
}

/// Health report from the care port, with its latency.
type Report<'a> = (&'a Health, Duration);

// === impl Tracker ===

impl Tracker {
    /// Returns a tracker that continues with a known app.
    pub(super) fn new(app: KnownApp, slow_window: Duration) -> Self {
        Self {
            app,
            history: History::new(slow_window),
            error_history: ErrorHistory::new(),
            trends: Trends::new(),
            symptoms: SymptomTracker::default(),
            impairment: Impairment::new(),
            dependencies: Dependencies::default(),
            lifecycle: Lifecycle::default(),
            start_time: None,
            paused: false,
            uptime: 0.0,
            stale_reports: 0,
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
        let gap = config
            .slow_window
            .max(*POLL_INTERVALS.end())
            .saturating_mul(2);
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
        let report = match &observation.care {
            ProbeResult::Valid(health, latency) => Some((health, *latency)),
            _ => None,
        };
        let status = report.map_or_else(ReportStatus::default, |(health, _)| {
            self.take_report(now, health, is_new, config)
        });
        let windows = report.map(|_| Windows::new(&self.history, &self.app.baseline, config));
        let features = self.features(now, wall, observation, report, windows.as_ref(), config);
        let is_current = is_new && !status.stale;
        if let (Some((health, _)), Some(windows)) = (report, &windows)
            && is_current
        {
            self.observe_doors(now, health, &observation.front_door, config);
            let usual = &mut self.app.usual_errors;
            self.error_history
                .learn(now, health, usual, restarts_failed, config);
            self.symptoms.routes.observe(now, health, config);
            self.detect(now, health, windows, &features, config);
        }
        let health = report.map(|(health, _)| health).filter(|_| is_current);
        let impairment = self.assess(now, observation, health, config);
        let stall = Stall {
            proven: self.symptoms.stall.is_proven(),
            refuted: self.impairment.makes_progress(),
        };
        let classified = classify(observation, stall);
        if is_current {
            let answers = front_door::answers(&observation.front_door);
            let unresponsive = &mut self.symptoms.unresponsive;
            unresponsive.observe(now, classified, answers, &config.evidence);
        }
        let mut reading = self.read(now, classified, observation, impairment, config);
        reading.stale = status.stale;
        reading.restarted = status.restarted;
        reading.features = features;
        reading.long_healthy = self.track_health(now, reading.healthy, windows.as_ref(), config);
        self.last_poll = self.last_poll.max(Some(now));
        reading
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

    /// Records that a treatment has started.
    pub(super) fn on_treatment(&mut self, now: Time, action: Action, slow_window: Duration) {
        if action == Action::RestartService {
            self.impairment.on_restart(now, &mut self.app.learned);
        } else {
            self.impairment.on_soft_heal(now, &mut self.app.learned);
        }
        self.app.last_treatment = Some(now);
        let before = self.error_history.before_treatment(slow_window);
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
        self.trends.forecast(resource)
    }

    /// Clears the parts that do not apply after an event.
    fn reset(&mut self, event: Reset) {
        if event.clears(Part::History) {
            self.history.clear();
            self.error_history.clear();
        }
        self.symptoms.reset(event);
        self.trends.reset(event);
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

    /// Adds a report to instance, windows and trends, unless it is stale.
    fn take_report(
        &mut self,
        now: Time,
        health: &Health,
        is_new: bool,
        config: &PolicyConfig,
    ) -> ReportStatus {
        let sample = Sample::of(health, now);
        let uptime = if health.uptime.is_finite() {
            health.uptime.max(0.0)
        } else {
            self.uptime
        };
        let newest = self.history.newest();
        let identity = Identity {
            id: health.instance_id.as_deref(),
            uptime,
            totals_fell: newest.is_some_and(|newest| sample.is_reset_since(newest)),
        };
        let known_uptime = self.start_time.map(|_| self.uptime);
        let matched = identify(&self.app.instance, known_uptime, identity);
        if matched == InstanceMatch::Stale && self.stale_reports < MAX_STALE {
            self.stale_reports += 1;
            return ReportStatus {
                stale: true,
                restarted: false,
            };
        }
        self.stale_reports = 0;
        let restarted = matched != InstanceMatch::Same
            && self.start_instance(now, health, uptime, &sample, matched, config);
        let dependencies = Dependencies::of_report(health, now, config.evidence.check_expiry);
        if is_new {
            if matched == InstanceMatch::Same && identity.totals_fell {
                self.reset(Reset::CounterReset);
            }
            if dependencies.has_recovered_since(&self.dependencies, now) {
                self.reset(Reset::DependencyRecovered);
            }
            self.dependencies = dependencies;
            self.add_sample(now, health, uptime, sample, config);
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

    /// Adds the figures of a report.
    fn add_sample(
        &mut self,
        now: Time,
        health: &Health,
        uptime: f64,
        sample: Sample,
        config: &PolicyConfig,
    ) {
        self.history.push(sample, health.latency.as_ref());
        self.uptime = uptime;
        self.start_time = Some(now - Duration::try_from_secs_f64(uptime).unwrap_or_default());
        self.lifecycle.observe(now, health);
        self.trends.push(now, health, &config.forecast);
    }

    /// Records another instance, or the first one since the sidecar started. Returns `true` if the app
    /// has restarted.
    fn start_instance(
        &mut self,
        now: Time,
        health: &Health,
        uptime: f64,
        sample: &Sample,
        matched: InstanceMatch,
        config: &PolicyConfig,
    ) -> bool {
        let age = Duration::try_from_secs_f64(uptime).unwrap_or_default();
        let start_time = now - age;
        let last_treatment = self.app.last_treatment;
        // Without an id, the age shows whether it is the saved instance.
        let restarted = matched != InstanceMatch::First
            || (health.instance_id.is_none() && last_treatment.is_some_and(|at| start_time > at));
        if restarted {
            self.app.record_start(now);
        }
        let instance = &mut self.app.instance;
        // Without ids, a saved instance cannot be told from its successor.
        instance.has_answered &= instance.id.is_some() && health.instance_id.is_some();
        instance.set_id(health.instance_id.as_deref());
        instance.availability.on_first_poll();
        self.app.usual_errors.on_app_start();
        self.reset(Reset::AppStart);
        if restarted {
            self.impairment.on_app_start(now, &mut self.app.learned);
        }
        self.start_time = Some(start_time);
        // For an app younger than two slow windows, assume all totals started at zero, unless it was
        // treated since it started.
        let untreated = last_treatment.is_none_or(|at| at < start_time);
        if untreated && age <= config.slow_window.saturating_mul(2) && start_time < now {
            self.history
                .push(sample.at_start(start_time), health.latency.as_ref());
            self.error_history.push(start_time, 0, 0);
        }
        restarted
    }

    /// Returns the features of a poll.
    fn features(
        &self,
        now: Time,
        wall: Duration,
        observation: &Observation,
        report: Option<Report<'_>>,
        windows: Option<&Windows>,
        config: &PolicyConfig,
    ) -> Features {
        let mut features = Features::EMPTY;
        extraction::set_context(&mut features, now, wall, &self.app);
        extraction::set_front_door(&mut features, &observation.front_door);
        if let (Some((health, _)), Some(windows)) = (report, windows) {
            extraction::set_snapshot(&mut features, health);
            extraction::set_checks(&mut features, &self.dependencies);
            extraction::set_windows(&mut features, windows, health.cpu_usage);
            extraction::set_trends(&mut features, &self.trends, &config.forecast);
        }
        features
    }

    /// Adds a report and the result of the front door's probe to the detectors of stalls and of a failing
    /// front door.
    fn observe_doors(
        &mut self,
        now: Time,
        health: &Health,
        front_door: &ProbeResult<()>,
        config: &PolicyConfig,
    ) {
        let answers = front_door::answers(front_door);
        self.app.instance.has_answered |= answers;
        let evidence = &config.evidence;
        let runtime = health.runtime.as_ref();
        let symptoms = &mut self.symptoms;
        symptoms
            .stall
            .observe(now, runtime, answers, evidence.hang_timeout);
        // Before the first answer, the app is starting, for however long.
        if self.app.instance.has_answered {
            symptoms
                .front_door
                .observe(now, front_door, serves(health), evidence);
        }
    }

    /// Adds a report to the detectors of the app's figures.
    fn detect(
        &mut self,
        now: Time,
        health: &Health,
        windows: &Windows,
        features: &Features,
        config: &PolicyConfig,
    ) {
        let evidence = &config.evidence;
        let slow = windows.slow.as_ref();
        let error_windows = ErrorWindows {
            fast: windows.fast.as_ref(),
            slow,
            grown: self.error_history.grown(config),
        };
        let errors = ErrorSignal::evaluate(error_windows, &self.app.usual_errors, evidence);
        let input = DetectorInput {
            windows,
            features,
            limit_alarm: self.trends.alarms().next().is_some(),
        };
        self.symptoms.observe(now, errors, input, config);
        let ill = self.symptoms.panics.is_active() || self.symptoms.front_door.is_symptomatic();
        let serves =
            availability::serves(slow, errors, evidence.count_share).map(|serves| serves && !ill);
        let availability = &mut self.app.instance.availability;
        availability.observe(now, serves, &config.outcome);
        availability.observe_age(health, evidence.count_share, &config.outcome);
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
        let evidence_of_symptoms = symptoms.evidence(impairment, config);
        let only_a_route = symptoms.only_a_route_fails();
        let worst_route = symptoms.routes.worst().filter(|_| reported);
        let grace = config.permission.startup_grace;
        let onsets = [symptoms.onset(), self.app.learned.impaired_since()];
        let onset = onsets.into_iter().flatten().min();
        let urgent_below = config.forecast.urgent_below;
        let mut alarms = self.trends.alarms();
        Reading {
            lane,
            stale: false,
            restarted: false,
            has_been_ready: started,
            mature: started && self.start_time.is_some_and(|at| now.since(at) >= grace),
            has_served,
            front_door_fails,
            available: self.app.instance.availability.is_available(),
            version_known: self.app.learned.is_version_known(),
            draining: self.lifecycle.is_draining(now),
            healthy: reported && started && !symptomatic && !front_door_fails,
            long_healthy: false,
            symptomatic,
            soft_evidence: evidence_of_symptoms.soft.filter(|_| reported),
            ratio_sustained: !only_a_route && symptoms.errors.is_ratio_sustained(evidence),
            worst_route: worst_route.map(|worst| worst.position),
            hard_evidence: evidence_of_symptoms.hard.filter(|_| reported),
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
            limit_alarm: self.trends.alarms().next().is_some(),
            limit_sustained: symptoms.limit.is_firing(evidence.hard_sustain_for),
            limit_urgent: alarms.any(|forecast| forecast.time_to_limit <= urgent_below),
            low_load: symptoms.low_load,
            dependency_down: self.dependencies.is_down(now),
            awaiting_checks: onset.is_some_and(|onset| {
                now.since(onset) < evidence.check_expiry
                    && self.dependencies.has_check_older_than(onset)
            }),
            features: Features::EMPTY,
            impairment,
            starving: self.impairment.is_starving(),
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
