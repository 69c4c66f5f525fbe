//! Treatments and the ends of processes: soft heal, drain, restart, crash, boot.

use std::time::Duration;

use super::cpu::CpuTotals;
use super::events::Event;
use super::heartbeat::Heartbeat;
use super::layer::Layer;
use super::memory::Usage;
use super::process::Phase;
use super::state::{Checks, Simulation};
use crate::episode::{Carried, Decider};
use healing_core::decision::{Action, TreatmentReport, TreatmentResult};

/// Time limit of a soft heal in seconds.
const HEAL_TIMEOUT: f64 = 30.0;
/// Time for which a drained app still accepts before a restart, in seconds.
const DRAIN_SETTLE: f64 = 2.0;
/// Time that requests in flight have before a restart, in seconds.
const DRAIN_TIMEOUT: f64 = 10.0;
/// Time between two looks at the requests in flight of a draining app, in seconds.
const DRAIN_INTERVAL: f64 = 0.1;

impl Simulation<'_> {
    /// Begins a soft heal, which keeps the doctor busy until it ends.
    pub(super) fn begin_soft_heal(&mut self, decider: &mut dyn Decider) {
        let can_run = self.process.phase == Phase::Serving && !self.heartbeat.is_stalled(self.now);
        if !can_run {
            self.report(decider, Action::ResetErrors, TreatmentResult::Aborted);
            self.schedule_poll(self.now);
            return;
        }
        let seconds = if self.free_workers() == 0 && self.faults.active.blocked == u32::MAX {
            HEAL_TIMEOUT
        } else {
            self.life.service.hook_seconds.min(HEAL_TIMEOUT)
        };
        self.polls.healing = Some(self.process.instance);
        self.events
            .schedule(self.now + seconds, Event::SoftHealEnds);
    }

    /// Completes a soft heal, unless the app ended or its runtime could not run the hooks.
    pub(super) fn soft_heal_ends(&mut self, decider: &mut dyn Decider) {
        let same = self.polls.healing.take() == Some(self.process.instance);
        let done = same && self.faults.active.blocked != u32::MAX;
        if done {
            let helped = self.faults.soft_heal(self.now);
            self.carried(Action::ResetErrors, helped);
            self.layer.error_count = 0;
            self.process.cold_since = self.now;
            if helped {
                self.pool.leaked = 0.0;
                self.fill_pool();
            }
            self.change();
        }
        let result = if done {
            TreatmentResult::Done
        } else {
            TreatmentResult::Failed
        };
        self.report(decider, Action::ResetErrors, result);
        self.schedule_poll(self.now);
    }

    /// Begins a restart. A wedged app is not drained.
    pub(super) fn begin_restart(&mut self, wedged: bool, decider: &mut dyn Decider) {
        self.report(decider, Action::RestartService, TreatmentResult::Started);
        if self.process.phase == Phase::Down {
            self.abort_restart(decider);
            return;
        }
        self.polls.restarting = Some(self.process.instance);
        if wedged || self.process.phase != Phase::Serving {
            self.restart();
        } else {
            self.losing_since.get_or_insert(self.now);
            self.process.drain(self.now);
            let instance = self.process.instance;
            let settled = self.now + DRAIN_SETTLE;
            self.events
                .schedule(settled, Event::DrainCheck(instance, false));
            self.events
                .schedule(settled + DRAIN_TIMEOUT, Event::DrainCheck(instance, true));
        }
    }

    /// Restarts a draining app once no request is in flight, or at the deadline.
    pub(super) fn drain_check(&mut self, instance: u32, over: bool, decider: &mut dyn Decider) {
        if self.polls.restarting != Some(instance) {
            return;
        }
        if instance != self.process.instance {
            self.abort_restart(decider);
        } else if over || self.layer.in_flight == 0 {
            self.restart();
        } else {
            let next = self.now + DRAIN_INTERVAL;
            self.events
                .schedule(next, Event::DrainCheck(instance, false));
        }
    }

    /// Gives up a restart, because the app has ended by itself.
    fn abort_restart(&mut self, decider: &mut dyn Decider) {
        self.polls.restarting = None;
        self.report(decider, Action::RestartService, TreatmentResult::Aborted);
        self.schedule_poll(self.now);
    }

    fn restart(&mut self) {
        self.polls.restarting = None;
        self.losing_since.get_or_insert(self.now);
        let collapsed = self.collapse.is_persistent(self.now);
        let helped = self.faults.restart(self.now) || collapsed;
        self.carried(Action::RestartService, helped);
        let next = self.exit();
        // The doctor restarts with the app.
        self.schedule_poll(next);
    }

    fn carried(&mut self, action: Action, helped: bool) {
        self.carried.push(Carried {
            at: Duration::from_secs_f64(self.now),
            action,
            helped,
        });
    }

    fn report(&self, decider: &mut dyn Decider, action: Action, result: TreatmentResult) {
        decider.report(self.clocks(), TreatmentReport { action, result });
    }

    /// Ends the process: all its requests fail. Returns the time at which the next one starts.
    pub(super) fn exit(&mut self) -> f64 {
        self.measured.exits += 1;
        let next = self.process.exit(self.now, &self.life.service.start);
        self.events
            .schedule(next, Event::ProcessStarts(self.process.instance));
        self.front.clear();
        self.ready.clear();
        self.cpu.clear();
        self.pool.clear();
        self.pool.leaked = 0.0;
        self.busy = 0;
        self.lock_free = 0.0;
        self.layer = Layer::new();
        self.checks = Checks::default();
        self.usage = Usage::default();
        self.faults.restart(self.now);
        self.change();
        self.probe_reset();
        for request in self.requests.drain() {
            self.end_call(request.call, false);
        }
        next
    }

    /// Starts the process of this instance.
    pub(super) fn process_starts(&mut self, instance: u32) {
        if instance != self.process.instance {
            return;
        }
        self.process.start(self.now);
        let CpuTotals { used, .. } = self.cpu.totals;
        self.cpu_at_start = used;
        self.change();
        let boot = self.life.service.start.boot_seconds;
        self.events
            .schedule(self.now + boot, Event::BootEnds(instance));
    }

    /// Completes the boot of this instance.
    pub(super) fn boot_ends(&mut self, instance: u32) {
        if instance != self.process.instance || self.process.phase != Phase::Booting {
            return;
        }
        if self.process.boot() {
            self.heartbeat = Heartbeat::new(self.now);
            self.end_capacity_loss();
        } else {
            self.exit();
        }
    }

    /// Ends the time without capacity because of a treatment.
    pub(super) fn end_capacity_loss(&mut self) {
        if let Some(since) = self.losing_since.take() {
            self.capacity_lost += self.now - since;
        }
    }
}
