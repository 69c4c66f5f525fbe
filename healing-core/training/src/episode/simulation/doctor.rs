//! The doctor: it polls, lets the decider decide, and carries out treatments.

use std::time::Duration;

use super::care_port;
use super::events::{Event, Events};
use super::patient::Patient;
use super::polls::Polls;
use super::process::Phase;
use super::sockets::sockets;
use super::treatments::Treatments;
use crate::episode::Decider;
use crate::episode::spec::{DAY, Life};
use healing_core::decision::{Action, TreatmentReport, TreatmentResult};
use healing_core::health::Health;
use healing_core::observation::{Circumstances, Mode, Now, Observation, ProbeResult};

/// Day of the episode's start since the Unix epoch.
const FIRST_DAY: f64 = 20_000.0;
/// Time limit of a soft heal in seconds.
const HEAL_TIMEOUT: f64 = 30.0;
/// Time for which a drained app still accepts before a restart, in seconds.
const DRAIN_SETTLE: f64 = 2.0;
/// Time that requests in flight have before a restart, in seconds.
const DRAIN_TIMEOUT: f64 = 10.0;
/// Interval of the checks of the requests in flight of a draining app, in seconds.
const DRAIN_INTERVAL: f64 = 0.1;

/// Doctor of one patient.
#[derive(Debug)]
pub(super) struct Doctor<'a> {
    life: &'a Life,
    pub(super) polls: Polls<'a>,
    pub(super) treatments: Treatments,
}

// === impl Doctor ===

impl<'a> Doctor<'a> {
    /// Returns the doctor before its first poll.
    pub(super) fn new(life: &'a Life) -> Self {
        Self {
            life,
            polls: Polls::new(life),
            treatments: Treatments::default(),
        }
    }

    /// Begins a poll, whose probe of the front door waits among the patient's connections.
    pub(super) fn poll(&mut self, now: f64, patient: &mut Patient<'_>, events: &mut Events) {
        self.polls.begin(now);
        self.polls.sockets.poll(sockets(patient));
        let noise = self.polls.noise();
        let (care, seconds) = care_port::probe(now, self.life, &patient.app, &noise);
        self.polls.record_care(now, care, seconds);
        let immediate = if !self.life.visible.front_door {
            Some(ProbeResult::NotProbed)
        } else if patient.app.is_refusing(&patient.faults.active) {
            Some(ProbeResult::Refused)
        } else {
            None
        };
        if let Some(result) = immediate {
            self.polls.record_front_door(now, result, events);
        } else {
            let number = self.polls.begin_probe(now, events);
            patient.connect_probe(now, number);
        }
    }

    /// Lets the decider decide, and carries out its action.
    pub(super) fn poll_ends(
        &mut self,
        now: f64,
        patient: &mut Patient<'_>,
        events: &mut Events,
        decider: &mut dyn Decider,
    ) {
        let Some((care, front_door)) = self.polls.take_results() else {
            return;
        };
        let stalled = |health: &Health| health.runtime.as_ref().is_some_and(|r| r.stalled);
        let unresponsive = match &care {
            ProbeResult::Valid(health, _) => stalled(health) || front_door == ProbeResult::TimedOut,
            _ => true,
        };
        let observation = Observation {
            care,
            front_door,
            sockets: self.polls.sockets.standing,
            circumstances: Circumstances {
                mode: Mode::Enforce,
                late: self.polls.late,
                ..Circumstances::default()
            },
        };
        match decider.poll(clocks(now, self.life), &observation) {
            Action::NoAction => self.polls.schedule_next(now, events),
            Action::ResetErrors => self.begin_soft_heal(now, patient, events, decider),
            Action::RestartService => {
                self.begin_restart(now, unresponsive, patient, events, decider);
            }
        }
    }

    /// Begins a soft heal, which keeps the doctor busy until it is complete.
    fn begin_soft_heal(
        &mut self,
        now: f64,
        patient: &Patient<'_>,
        events: &mut Events,
        decider: &mut dyn Decider,
    ) {
        let app = &patient.app;
        let can_run = app.process.phase == Phase::Serving && !app.heartbeat.is_stalled(now);
        if !can_run {
            let result = TreatmentResult::Aborted;
            self.report(now, decider, Action::ResetErrors, result);
            self.polls.schedule(now, events);
            return;
        }
        let active = &patient.faults.active;
        let seconds = if app.free_workers(active) == 0 && active.blocked == u32::MAX {
            HEAL_TIMEOUT
        } else {
            self.life.service.hook_seconds.min(HEAL_TIMEOUT)
        };
        self.treatments.healing = Some(app.process.instance);
        events.schedule(now + seconds, Event::SoftHealEnds);
    }

    /// Completes a soft heal, unless the process exited or its runtime could not run the hooks.
    pub(super) fn soft_heal_ends(
        &mut self,
        now: f64,
        patient: &mut Patient<'_>,
        events: &mut Events,
        decider: &mut dyn Decider,
    ) {
        let same = self.treatments.healing.take() == Some(patient.app.process.instance);
        let result = if same && patient.faults.active.blocked != u32::MAX {
            let helped = patient.soft_heal(now, events);
            self.treatments.record(now, Action::ResetErrors, helped);
            TreatmentResult::Done
        } else {
            TreatmentResult::Failed
        };
        self.report(now, decider, Action::ResetErrors, result);
        self.polls.schedule(now, events);
    }

    /// Begins a restart. An unresponsive app is not drained.
    fn begin_restart(
        &mut self,
        now: f64,
        unresponsive: bool,
        patient: &mut Patient<'_>,
        events: &mut Events,
        decider: &mut dyn Decider,
    ) {
        let started = TreatmentResult::Started;
        self.report(now, decider, Action::RestartService, started);
        let process = &mut patient.app.process;
        if process.phase == Phase::Down {
            self.abort_restart(now, events, decider);
            return;
        }
        let instance = process.instance;
        self.treatments.restarting = Some(instance);
        if unresponsive || process.phase != Phase::Serving {
            self.restart(now, patient, events);
        } else {
            self.treatments.begin_loss(now);
            process.drain(now);
            let settled = now + DRAIN_SETTLE;
            events.schedule(settled, Event::DrainCheck(instance, false));
            events.schedule(settled + DRAIN_TIMEOUT, Event::DrainCheck(instance, true));
        }
    }

    /// Restarts a draining app once no request is in flight, or at the deadline.
    pub(super) fn drain_check(
        &mut self,
        now: f64,
        (instance, is_deadline): (u32, bool),
        patient: &mut Patient<'_>,
        events: &mut Events,
        decider: &mut dyn Decider,
    ) {
        if self.treatments.restarting != Some(instance) {
            return;
        }
        if instance != patient.app.process.instance {
            self.abort_restart(now, events, decider);
        } else if is_deadline || patient.app.pipeline.layer.in_flight == 0 {
            self.restart(now, patient, events);
        } else {
            let next = now + DRAIN_INTERVAL;
            events.schedule(next, Event::DrainCheck(instance, false));
        }
    }

    /// Gives up a restart, because the process has exited without it.
    fn abort_restart(&mut self, now: f64, events: &mut Events, decider: &mut dyn Decider) {
        self.treatments.restarting = None;
        let aborted = TreatmentResult::Aborted;
        self.report(now, decider, Action::RestartService, aborted);
        self.polls.schedule(now, events);
    }

    fn restart(&mut self, now: f64, patient: &mut Patient<'_>, events: &mut Events) {
        self.treatments.restarting = None;
        self.treatments.begin_loss(now);
        let (next, helped) = patient.restart(now, events);
        self.treatments.record(now, Action::RestartService, helped);
        self.polls.reset_probe(now, events);
        // The doctor restarts with the app.
        self.polls.schedule(next, events);
    }

    fn report(&self, now: f64, decider: &mut dyn Decider, action: Action, result: TreatmentResult) {
        decider.report(clocks(now, self.life), TreatmentReport { action, result });
    }
}

/// Returns both clocks.
fn clocks(now: f64, life: &Life) -> Now {
    let wall = FIRST_DAY * DAY + 3600.0 * life.utc_hour + now;
    Now {
        monotonic: Duration::from_secs_f64(now),
        wall: Duration::from_secs_f64(wall),
    }
}
