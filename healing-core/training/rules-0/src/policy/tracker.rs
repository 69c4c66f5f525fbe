//! Tracker: from observations to a [`Reading`]. It owns everything that is known of the app: its
//! instance, windows, trends and detectors.
//!
//! The known app is saved; the rest is gained by each process, and none of it makes a guard weaker by
//! its absence.

use std::time::Duration;

use super::features;
use super::instance::{Identity, Speaker, identify};
use super::reading::Reading;
use super::reset::{Part, Reset};
use super::state::KnownApp;
use super::symptoms::{Figures, SymptomTracker};
use super::trends::Trends;
use super::windows::Windows;
use crate::config::PolicyConfig;
use crate::decision::Lane;
use crate::evidence::dependencies::Dependencies;
use crate::evidence::unresponsive::tick_age;
use crate::evidence::{ErrorSignal, availability};
use crate::features::Features;
use crate::forecast::{Forecast, Resource};
use crate::health::Health;
use crate::lane::{Classified, classify};
use crate::observation::{Circumstances, Observation, ProbeResult};
use crate::time::Time;
use crate::window::{History, Sample};

/// Stale answers in a row after which the order of the answers before counts as wrong.
const MAX_STALE: u32 = 2;

/// State of the app, by its answers so far.
#[derive(Debug)]
pub(super) struct Tracker {
    app: KnownApp,
    history: History,
    trends: Trends,
    symptoms: SymptomTracker,
    dependencies: Dependencies,
    /// Set if this instance has been ready.
    ready: bool,
    /// Start of this instance; `None` before its first answer.
    started: Option<Time>,
    draining: bool,
    /// Seconds, as the app reports them.
    uptime: f64,
    /// Stale answers in a row.
    stale_answers: u32,
    healthy_since: Option<Time>,
    last_poll: Option<Time>,
}

/// Answer of the care port, with its latency.
type Answer<'a> = (&'a Health, Duration);

/// Order of an answer, and its author.
#[derive(Debug, Clone, Copy, Default)]
struct Arrival {
    stale: bool,
    /// Set if another process answers than before.
    restarted: bool,
}

// === impl Tracker ===

impl Tracker {
    pub(super) fn new(app: KnownApp, slow_window: Duration) -> Self {
        Self {
            app,
            history: History::new(slow_window),
            trends: Trends::new(),
            symptoms: SymptomTracker::default(),
            dependencies: Dependencies::default(),
            ready: false,
            started: None,
            draining: false,
            uptime: 0.0,
            stale_answers: 0,
            healthy_since: None,
            last_poll: None,
        }
    }

    /// Adds a poll. A second one of the same moment changes no window and no detector.
    pub(super) fn observe(
        &mut self,
        now: Time,
        wall: Duration,
        observation: &Observation,
        config: &PolicyConfig,
    ) -> Reading {
        let classified = classify(observation);
        let is_new = self.last_poll.is_none_or(|last| now > last);
        let gap = config.slow_window.saturating_mul(2);
        if self.last_poll.is_some_and(|last| now.since(last) > gap) {
            self.reset(Reset::Gap);
        }
        let answer = match &observation.care {
            ProbeResult::Valid(health, latency) => Some((health, *latency)),
            _ => None,
        };
        let arrival = answer.map_or_else(Arrival::default, |(health, _)| {
            self.take_answer(now, health, is_new, config)
        });
        let windows = answer.map(|_| Windows::new(&self.history, &self.app.baseline, config));
        let features = self.features(now, wall, observation, answer, windows.as_ref(), config);
        if is_new && !arrival.stale {
            let tick_age = answer
                .and_then(|(health, _)| health.runtime.as_ref())
                .and_then(tick_age);
            let unresponsive = &mut self.symptoms.unresponsive;
            unresponsive.observe(now, classified, tick_age);
            if let (Some((_, latency)), Some(windows)) = (answer, &windows) {
                self.detect(now, latency, windows, &features, config);
            }
        }
        let mut reading = self.read(now, classified, observation.circumstances, config);
        reading.stale = arrival.stale;
        reading.restarted = arrival.restarted;
        reading.features = features;
        reading.long_healthy = self.track_health(now, reading.healthy, windows.as_ref(), config);
        self.last_poll = self.last_poll.max(Some(now));
        reading
    }

    /// Records that a treatment has begun.
    pub(super) fn on_treatment(&mut self, now: Time) {
        self.app.last_treatment = Some(now);
        self.reset(Reset::Treatment);
    }

    /// Returns the knowledge that survives the process.
    pub(super) fn known_app(&self) -> &KnownApp {
        &self.app
    }

    /// Returns the errors per request of the latest answer, where there were enough requests.
    pub(super) fn error_ratio(&self) -> Option<f64> {
        self.symptoms.errors.error_ratio()
    }

    /// Returns the forecast of a resource, where it grows steadily.
    pub(super) fn forecast(&self, resource: Resource) -> Option<&Forecast> {
        self.trends.forecast(resource)
    }

    /// Clears the parts that an event makes meaningless.
    fn reset(&mut self, event: Reset) {
        if event.clears(Part::History) {
            self.history.clear();
        }
        self.symptoms.reset(event);
        self.trends.reset(event);
        if event.clears(Part::Health) {
            self.healthy_since = None;
        }
        if event.clears(Part::Readiness) {
            self.ready = false;
        }
    }

    /// Adds an answer to instance, windows and trends, unless it is stale.
    fn take_answer(
        &mut self,
        now: Time,
        health: &Health,
        is_new: bool,
        config: &PolicyConfig,
    ) -> Arrival {
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
        let known_uptime = self.started.map(|_| self.uptime);
        let speaker = identify(&self.app.instance, known_uptime, identity);
        if speaker == Speaker::Stale && self.stale_answers < MAX_STALE {
            self.stale_answers += 1;
            return Arrival {
                stale: true,
                restarted: false,
            };
        }
        self.stale_answers = 0;
        let restarted = speaker != Speaker::Same
            && self.start_instance(now, health, uptime, &sample, speaker, config);
        let dependencies = Dependencies::of_answer(health, now, config.evidence.check_expiry);
        if is_new {
            if speaker == Speaker::Same && identity.totals_fell {
                self.reset(Reset::CounterReset);
            }
            if dependencies.ends_outage(&self.dependencies, now) {
                self.reset(Reset::OutageOver);
            }
            self.dependencies = dependencies;
            self.add_sample(now, health, uptime, sample, config);
        } else {
            // A duplicate poll adds nothing, except that it can forbid at once.
            self.draining |= health.draining || health.condemned;
            if dependencies.is_down(now) {
                self.dependencies = dependencies;
            }
        }
        Arrival {
            stale: false,
            restarted,
        }
    }

    /// Adds the figures of an answer.
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
        self.started = Some(now - Duration::try_from_secs_f64(uptime).unwrap_or_default());
        self.ready |= health.started != Some(false);
        self.draining = health.draining || health.condemned;
        self.trends.push(now, health, &config.forecast);
    }

    /// Begins another instance, or the first that this process sees; returns `true` if the app has
    /// restarted.
    fn start_instance(
        &mut self,
        now: Time,
        health: &Health,
        uptime: f64,
        sample: &Sample,
        speaker: Speaker,
        config: &PolicyConfig,
    ) -> bool {
        let age = Duration::try_from_secs_f64(uptime).unwrap_or_default();
        let started = now - age;
        let last_treatment = self.app.last_treatment;
        // Without an id the age tells whether it is the instance of the saved state.
        let restarted = speaker != Speaker::First
            || (health.instance_id.is_none() && last_treatment.is_some_and(|at| started > at));
        if restarted {
            self.app.record_start(now);
        }
        let instance = &mut self.app.instance;
        instance.set_id(health.instance_id.as_deref());
        instance.availability.first_seen(age, &config.outcome);
        self.reset(Reset::AppStart);
        self.started = Some(started);
        // A young app's totals all belong to the window, unless it was treated since its start.
        let untreated = last_treatment.is_none_or(|at| at < started);
        if untreated && age <= config.slow_window.saturating_mul(2) && started < now {
            self.history
                .push(sample.at_start(started), health.latency.as_ref());
        }
        restarted
    }

    fn features(
        &self,
        now: Time,
        wall: Duration,
        observation: &Observation,
        answer: Option<Answer<'_>>,
        windows: Option<&Windows>,
        config: &PolicyConfig,
    ) -> Features {
        let mut features = Features::EMPTY;
        features::set_context(&mut features, now, wall, &self.app);
        features::set_front_door(&mut features, &observation.front_door);
        if let (Some((health, _)), Some(windows)) = (answer, windows) {
            features::set_snapshot(&mut features, health);
            features::set_checks(&mut features, &self.dependencies);
            features::set_windows(&mut features, windows, health.cpu_usage);
            features::set_trends(&mut features, &self.trends, &config.forecast);
        }
        features
    }

    /// Adds an answer to the detectors.
    fn detect(
        &mut self,
        now: Time,
        care_latency: Duration,
        windows: &Windows,
        features: &Features,
        config: &PolicyConfig,
    ) {
        let evidence = &config.evidence;
        let slow = windows.slow.as_ref();
        let errors = ErrorSignal::evaluate(windows.fast.as_ref(), slow, evidence);
        let figures = Figures {
            windows,
            features,
            care_latency,
            limit_forecast: self.trends.alarms().next().is_some(),
        };
        self.symptoms.observe(now, errors, figures, config);
        let serves_well = availability::serves_well(slow, errors, evidence.count_share)
            && !self.symptoms.detectors.is_symptomatic();
        let availability = &mut self.app.instance.availability;
        availability.observe(now, serves_well, &config.outcome);
    }

    /// Returns the reading of the state after a poll.
    fn read(
        &self,
        now: Time,
        classified: Classified,
        circumstances: Circumstances,
        config: &PolicyConfig,
    ) -> Reading {
        let evidence = &config.evidence;
        let symptoms = &self.symptoms;
        let lane = classified.lane;
        let reported = lane == Lane::Reported;
        let symptomatic = symptoms.is_symptomatic();
        let is_alive = circumstances.process_alive == Some(true) && self.ready && !self.draining;
        let grace = config.permission.startup_grace;
        let onset = symptoms.onset().unwrap_or(now);
        let urgent_below = config.forecast.urgent_below;
        let mut alarms = self.trends.alarms();
        Reading {
            lane,
            stale: false,
            restarted: false,
            ready: self.ready,
            mature: self.ready && self.started.is_some_and(|at| now.since(at) >= grace),
            available: self.app.instance.availability.is_available(),
            draining: self.draining,
            healthy: reported && self.ready && !symptomatic,
            long_healthy: false,
            symptomatic,
            soft_symptom: symptoms.errors.soft_symptom(evidence).filter(|_| reported),
            ratio_sustained: symptoms.errors.is_ratio_sustained(evidence),
            hard_symptom: symptoms
                .detectors
                .hard_symptom(evidence)
                .filter(|_| reported),
            unresponsive: symptoms
                .unresponsive
                .hard_symptom(classified, is_alive, evidence),
            error_ratio: symptoms.errors.error_ratio(),
            limit_forecast: self.trends.alarms().next().is_some(),
            limit_sustained: symptoms.limit_polls >= evidence.hard_polls.max(1),
            limit_urgent: alarms.any(|forecast| forecast.time_to_limit <= urgent_below),
            low_load: symptoms.low_load,
            overloaded: symptoms.overloaded,
            dependency_down: self.dependencies.is_down(now),
            awaiting_checks: now.since(onset) < evidence.check_expiry
                && self.dependencies.must_be_checked(onset),
            features: Features::EMPTY,
        }
    }

    /// Extends or ends the healthy time, and lets the baseline learn from it. Returns `true` once it
    /// has lasted for long.
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
            let mut traffic = windows.traffic;
            if self.symptoms.harmed {
                // A load that clients suffer from does not become usual. Latency does, slowly: an app
                // that stays slower is not harmed for ever.
                traffic.load = None;
            }
            self.app.baseline.learn(traffic, now.seconds_since(last));
        }
        let since = *self.healthy_since.get_or_insert(now);
        now.since(since) >= config.outcome.reset_after
    }
}
