//! The app: its process, the way of its requests, and its measurements.

use super::call::Response;
use super::checks::Checks;
use super::cpu::{Cpu, Job};
use super::cpu_meter::CpuMeter;
use super::events::Events;
use super::faults::Active;
use super::heartbeat::Heartbeat;
use super::memory::Usage;
use super::pipeline::{JobEnd, Pipeline};
use super::process::{Phase, Process};
use super::requests::Request;
use super::tasks::Task;
use crate::episode::spec::Life;
use healing_core::rng::Rng;

/// App in its container.
#[derive(Debug)]
pub(super) struct App<'a> {
    life: &'a Life,
    pub(super) process: Process,
    pub(super) pipeline: Pipeline<'a>,
    pub(super) heartbeat: Heartbeat,
    pub(super) checks: Checks,
    pub(super) cpu: Cpu,
    pub(super) cpu_meter: CpuMeter,
    pub(super) usage: Usage,
    /// Number of exits of the process.
    pub(super) exits: u32,
    /// Time at which the kernel first killed the process.
    pub(super) killed_at: Option<f64>,
}

// === impl App ===

impl<'a> App<'a> {
    /// Returns the app at the start of a life.
    pub(super) fn new(life: &'a Life) -> Self {
        Self {
            life,
            process: Process::new(&life.service.start),
            pipeline: Pipeline::new(&life.service),
            heartbeat: Heartbeat::new(0.0),
            checks: Checks::default(),
            cpu: Cpu::new(&life.machine),
            cpu_meter: CpuMeter::default(),
            usage: Usage::default(),
            exits: 0,
            killed_at: None,
        }
    }

    /// Returns `true` if a new connection is refused.
    pub(super) fn is_refusing(&self, active: &Active) -> bool {
        match self.process.phase {
            Phase::Down => true,
            Phase::Booting => !self.life.service.start.binds_early,
            Phase::Serving => active.front_door_closed == Some(true),
        }
    }

    /// Returns the number of free workers.
    pub(super) fn free_workers(&self, active: &Active) -> u32 {
        if self.process.phase == Phase::Serving {
            self.pipeline.workers.free(active.blocked)
        } else {
            0
        }
    }

    /// Removes the next task if a worker is free for it.
    pub(super) fn next_task(&mut self, now: f64, active: &Active) -> Option<(f64, Task)> {
        if self.free_workers(active) == 0 {
            return None;
        }
        let accepts = active.front_door_closed.is_none() && self.usage.descriptors < 100.0;
        self.pipeline.next_task(now, accepts)
    }

    /// Gives a task to a free worker.
    pub(super) fn start(&mut self, now: f64, task: (f64, Task)) -> Option<Response> {
        let cold = self.process.cold(now, &self.life.service.start);
        self.pipeline.start(now, task, cold, &mut self.cpu)
    }

    /// Handles the end of a job's CPU time.
    pub(super) fn job_ends(
        &mut self,
        now: f64,
        job: Job,
        active: &Active,
        events: &mut Events,
    ) -> JobEnd {
        let end = self.pipeline.job_ends(now, job, active, events);
        if matches!(end, JobEnd::Ping) {
            self.heartbeat.tick(now);
        }
        end
    }

    /// Pings the runtime, which runs the ping at once if it is idle.
    pub(super) fn ping(&mut self, now: f64, active: &Active) {
        if !self.heartbeat.ping(now) {
            return;
        }
        let idle = self.pipeline.tasks.is_none_ready() && self.free_workers(active) > 0;
        if idle && self.cpu.throttled_until().is_none() {
            self.heartbeat.tick(now);
        } else {
            self.pipeline.tasks.push_ready(now, Task::Ping);
        }
    }

    /// Lets memory, descriptors and the pool leak for a second, and computes the usage. `job` is the
    /// memory of the jobs inside the app, in percent of the limit.
    pub(super) fn update_usage(&mut self, now: f64, active: &Active, job: f64, noise: &mut Rng) {
        self.usage.leak(active.memory_leak, active.descriptor_leak);
        self.pipeline.pool.leak(active.pool_leak);
        let uptime = now - self.process.started;
        #[allow(clippy::cast_precision_loss)] // small
        let open = self.pipeline.layer.in_flight as f64;
        self.usage
            .update(&self.life.memory, uptime, open, job, noise.normal());
    }

    /// Runs the checks, if the runtime can run them. `coin` decides about the dependency.
    pub(super) fn run_checks(&mut self, now: f64, active: &Active, coin: f64) {
        if self.free_workers(active) > 0 {
            let pool_failing = self.pipeline.pool.is_exhausted();
            self.checks
                .record(now, coin < active.dependency_down, pool_failing);
        }
    }

    /// Completes a soft heal; `helped` if it stopped a fault. The caches are cold after it.
    pub(super) fn soft_heal(
        &mut self,
        now: f64,
        helped: bool,
        active: &Active,
        events: &mut Events,
    ) {
        self.pipeline.layer.error_count = 0;
        self.process.cold_since = now;
        if helped {
            self.pipeline.pool.leaked = 0.0;
            self.pipeline.fill_pool(now, active, events);
        }
    }

    /// Ends the process. Returns the time at which the next container is created, and the requests
    /// whose clients still wait.
    pub(super) fn exit(&mut self, now: f64) -> (f64, Vec<Request>) {
        self.exits += 1;
        self.cpu.clear();
        self.checks = Checks::default();
        self.usage = Usage::default();
        let next = self.process.exit(now, &self.life.service.start);
        (next, self.pipeline.reset())
    }

    /// Starts the process.
    pub(super) fn start_process(&mut self, now: f64) {
        self.process.start(now);
        self.cpu_meter.start(&self.cpu.totals);
    }

    /// Completes the boot. Returns `false` if it crashes.
    pub(super) fn boot(&mut self, now: f64) -> bool {
        let serves = self.process.boot();
        if serves {
            self.heartbeat = Heartbeat::new(now);
        }
        serves
    }
}
