//! Periodic work: pings of the runtime, and once a second leaks, memory, checks and CPU samples.

use super::cpu::PERIOD;
use super::layer::Ending;
use super::process::Phase;
use super::state::{Simulation, Task, stream};
use healing_core::rng::Rng;

/// Ticks a second.
const TICKS: u64 = 10;
/// Time between two runs of the checks in seconds.
const CHECK_INTERVAL: u64 = 10;
/// Memory of a job inside the app, in percent of the limit per thread.
const JOB_MEMORY: f64 = 5.0;

impl Simulation<'_> {
    /// Does the periodic work. Returns the time of the next tick.
    pub(super) fn tick(&mut self) -> f64 {
        if self.ticks.is_multiple_of(TICKS) {
            self.second(self.ticks / TICKS);
        }
        self.ticks += 1;
        if self.process.phase == Phase::Serving {
            if self.heartbeat.ping(self.now) {
                let idle = self.ready.is_empty() && self.free_workers() > 0;
                if idle && self.cpu.throttled_until().is_none() {
                    self.heartbeat.tick(self.now);
                } else {
                    self.ready.push_back((self.now, Task::Ping));
                }
            }
            self.expire_waiting();
        }
        #[allow(clippy::cast_precision_loss)] // small
        let next = self.ticks as f64 * PERIOD;
        next
    }

    /// Fails the requests that have waited for the pool for too long.
    fn expire_waiting(&mut self) {
        let Some(pool) = self.life.service.pool else {
            return;
        };
        while let Some(key) = self.pool.expired(self.now - pool.acquire_timeout) {
            self.end(key, Ending::Error);
        }
    }

    fn second(&mut self, second: u64) {
        self.cpu_samples = [self.cpu_samples[1], (self.now, self.cpu.totals)];
        self.collapse.observe(self.now, self.is_collapsed());
        if self.process.phase == Phase::Down {
            return;
        }
        let active = &self.faults.active;
        self.usage.leak(active.memory_leak, active.descriptor_leak);
        self.pool.leak(active.pool_leak);
        let mut noise = self.draw(stream::NOISE, second);
        self.update_usage(&mut noise);
        if second.is_multiple_of(CHECK_INTERVAL) {
            self.run_checks(second);
        }
        if self.usage.memory >= 100.0 {
            self.measured.killed_at.get_or_insert(self.now);
            self.exit();
        }
    }

    fn update_usage(&mut self, noise: &mut Rng) {
        let uptime = self.now - self.process.started;
        #[allow(clippy::cast_precision_loss)] // small
        let open = self.layer.in_flight as f64;
        let job = JOB_MEMORY * f64::from(self.job_threads());
        let noise = noise.normal();
        self.usage
            .update(&self.life.memory, uptime, open, job, noise);
    }

    /// Runs the checks, if the runtime can run them.
    fn run_checks(&mut self, second: u64) {
        if self.process.phase != Phase::Serving || self.free_workers() == 0 {
            return;
        }
        let coin = self.draw(stream::CHECKS, second).unit();
        self.checks.at = Some(self.now);
        self.checks.dependency_failing = coin < self.faults.active.dependency_down;
        self.checks.pool_failing = self.pool.is_exhausted();
    }

    /// Applies faults, neighbours and jobs as they are at this time.
    pub(super) fn change(&mut self) {
        self.faults.update(self.now);
        let machine = &self.life.machine;
        let cores = machine
            .neighbours
            .iter()
            .find(|(from, to, _)| (*from..*to).contains(&self.now))
            .map_or(machine.cores, |(_, _, cores)| *cores);
        self.cpu.set_cores(cores);
        let runs = self.process.phase != Phase::Down;
        let threads = self.faults.active.spinning + self.job_threads();
        self.cpu.set_extra(if runs { threads } else { 0 });
    }

    fn job_threads(&self) -> u32 {
        let jobs = self.life.machine.jobs.iter();
        jobs.filter(|(from, to, _)| (*from..*to).contains(&self.now))
            .map(|(_, _, threads)| *threads)
            .sum()
    }
}
