//! Detectors of everything that may justify a treatment: symptoms, the forecast of a limit, and impairment.

use super::limit::LimitDetector;
use super::reports::{PolledReport, Reports};
use super::reset::{Part, Reset};
use super::state::KnownApp;
use super::symptoms::SymptomTracker;
use crate::config::PolicyConfig;
use crate::decision::Action;
use crate::evidence::front_door;
use crate::health::Health;
use crate::impairment::{Assessment, Impairment, InstanceState, Learned};
use crate::lane::{Classified, Stall, classify};
use crate::observation::Observation;
use crate::time::Time;

/// State of all detectors after the latest poll.
#[derive(Debug)]
pub(super) struct Detectors {
    pub(super) symptoms: SymptomTracker,
    pub(super) limit: LimitDetector,
    pub(super) impairment: Impairment,
}

// === impl Detectors ===

impl Detectors {
    /// Returns detectors without polls.
    pub(super) fn new() -> Self {
        Self {
            symptoms: SymptomTracker::default(),
            limit: LimitDetector::default(),
            impairment: Impairment::new(),
        }
    }

    /// Adds a report to the detectors of symptoms and limits, and to the availability of the instance.
    pub(super) fn detect(
        &mut self,
        now: Time,
        report: PolledReport<'_>,
        reports: &Reports,
        app: &mut KnownApp,
        config: &PolicyConfig,
    ) {
        app.instance.has_answered |= front_door::answers(report.front_door);
        let series = &reports.series;
        let alarm = series.trends.is_alarming();
        self.limit.observe(now, alarm, report, config);
        let serves = self.symptoms.observe(now, report, series, app, config);
        let max_share = config.evidence.count_share;
        let availability = &mut app.instance.availability;
        availability.observe(now, serves, &config.outcome);
        availability.observe_age(report.health, max_share, &config.outcome);
    }

    /// Assesses the impairment after a poll. `report` is absent if it is stale or not new.
    pub(super) fn assess(
        &mut self,
        now: Time,
        observation: &Observation,
        report: Option<&Health>,
        reports: &Reports,
        app: &mut KnownApp,
        config: &PolicyConfig,
    ) -> Assessment {
        let lifecycle = &reports.lifecycle;
        let instance = InstanceState {
            serves: lifecycle.has_started() && !lifecycle.is_draining(now),
            has_answered: app.instance.has_answered,
            usual_error_share: app.usual_errors.share(),
        };
        let learned = &mut app.learned;
        let config = &config.impairment;
        self.impairment
            .observe(now, observation, report, instance, learned, config)
    }

    /// Returns the lane of a poll. If the poll is current, the time for which the app has been unresponsive
    /// goes on or ends.
    pub(super) fn classify(
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
    pub(super) fn on_treatment(&mut self, now: Time, action: Action, learned: &mut Learned) {
        if action == Action::RestartService {
            self.impairment.on_restart(now, learned);
        } else {
            self.impairment.on_soft_heal(now, learned);
        }
        self.symptoms.routes.on_treatment(now);
    }

    /// Clears the parts that do not apply after an event.
    pub(super) fn reset(&mut self, event: Reset, learned: &mut Learned) {
        self.symptoms.reset(event);
        self.limit.reset(event);
        if event.clears(Part::Impairment) {
            self.impairment.clear(learned);
        }
    }
}
