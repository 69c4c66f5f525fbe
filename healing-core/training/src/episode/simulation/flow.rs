//! Way of a request through the app: workers, CPU, lock, pool, end.

use super::cpu::Job;
use super::events::Event;
use super::layer::Ending;
use super::requests::{Key, Request, Stage};
use super::state::{Simulation, Task};
use crate::episode::spec::OnLeave;

/// CPU time of a probe or a ping, in seconds.
const SMALL_TASK: f64 = 2e-5;
/// Job of a probe: this bit and its number.
const PROBE_JOB: Job = 1 << 31;
/// Job of a ping.
const PING_JOB: Job = Job::MAX;

impl Simulation<'_> {
    /// Gives a task to a free worker.
    pub(super) fn start(&mut self, task: Task, since: f64) {
        match task {
            Task::Request(key) => self.start_request(key, since),
            Task::Probe(number) => self.run(PROBE_JOB | number, SMALL_TASK),
            Task::Ping => self.run(PING_JOB, SMALL_TASK),
        }
    }

    /// Runs a job on a worker.
    fn run(&mut self, job: Job, seconds: f64) {
        self.busy += 1;
        self.cpu.start(job, seconds);
    }

    fn start_request(&mut self, key: Key, since: f64) {
        let service = &self.life.service;
        let Some(request) = self.requests.get(key) else {
            return;
        };
        let halves = if service.pool.is_some() { 0.5 } else { 1.0 };
        if request.stage == Stage::Second {
            if request.left && service.on_leave != OnLeave::Continue {
                self.end(key, Ending::Cancelled);
                return;
            }
            let cpu = request.demand.cpu * halves;
            self.run_request(key, cpu);
            return;
        }
        if request.left && service.on_leave == OnLeave::Discard {
            self.measured.discarded += 1;
            self.requests.remove(key);
            return;
        }
        request.stage = Stage::First;
        request.begun = self.now;
        request.seen = true;
        let cpu = request.demand.cpu * halves;
        self.measured.begun += 1;
        self.measured.waited += u64::from(self.now > since);
        self.layer.begin(key, &self.requests);
        if service
            .shed_above
            .is_some_and(|limit| self.layer.in_flight > limit)
        {
            self.measured.shed += 1;
            self.end(key, Ending::Error);
            return;
        }
        self.run_request(key, cpu);
    }

    fn run_request(&mut self, key: Key, cpu: f64) {
        let cold = self.process.cold(self.now, &self.life.service.start);
        self.run(key.slot, cpu * cold);
    }

    /// Handles the end of a job's CPU time.
    pub(super) fn job_ends(&mut self, job: Job) {
        if job >= PROBE_JOB {
            self.busy = self.busy.saturating_sub(1);
            if job == PING_JOB {
                self.heartbeat.tick(self.now);
            } else {
                self.probe_answered(job & !PROBE_JOB);
            }
            return;
        }
        let Some(key) = self.requests.key(job) else {
            return;
        };
        let Some(&mut request) = self.requests.get(key) else {
            return;
        };
        if request.stage == Stage::Second {
            self.busy = self.busy.saturating_sub(1);
            self.end(key, Ending::Ok);
            return;
        }
        let lock = self.faults.active.lock;
        let mut free_at = self.now + request.demand.blocking;
        if lock > 0.0 {
            self.lock_free = self.lock_free.max(self.now) + lock;
            free_at = free_at.max(self.lock_free);
        }
        if free_at > self.now {
            self.events.schedule(free_at, Event::BlockEnds(key));
        } else {
            self.first_half_ends(key, request);
        }
    }

    /// Frees the worker of a request that has blocked it.
    pub(super) fn block_ends(&mut self, key: Key) {
        if let Some(&mut request) = self.requests.get(key) {
            self.first_half_ends(key, request);
        }
    }

    fn first_half_ends(&mut self, key: Key, request: Request) {
        self.busy = self.busy.saturating_sub(1);
        if let Some(ending) = self.failure(&request) {
            self.end(key, ending);
            return;
        }
        if request.demand.coins[1] < self.faults.active.jammed {
            if let Some(request) = self.requests.get(key) {
                request.stage = Stage::Waiting;
            }
        } else if self.life.service.pool.is_none() {
            self.end(key, Ending::Ok);
        } else if request.left && self.life.service.on_leave != OnLeave::Continue {
            self.end(key, Ending::Cancelled);
        } else if self.pool.acquire(self.now, key) {
            self.hold(key);
        } else if let Some(request) = self.requests.get(key) {
            request.stage = Stage::Waiting;
        }
    }

    /// Returns the ending of a request that fails.
    fn failure(&self, request: &Request) -> Option<Ending> {
        let active = &self.faults.active;
        let [usual, mut fault, ..] = request.demand.coins;
        if usual < self.life.service.errors {
            return Some(Ending::Error);
        }
        if fault < active.panics {
            return Some(Ending::Panic);
        }
        fault -= active.panics;
        let route = active
            .route_errors
            .filter(|(route, _)| u32::try_from(*route) == Ok(request.demand.route))
            .map_or(0.0, |(_, share)| share);
        (fault < active.errors + active.dependency_down + route).then_some(Ending::Error)
    }

    fn hold(&mut self, key: Key) {
        let factor = self.faults.active.pool_factor;
        if let Some(request) = self.requests.get(key) {
            request.stage = Stage::Holding;
            let at = self.now + request.demand.hold * factor;
            self.events.schedule(at, Event::HoldEnds(key));
        }
    }

    /// Gives a request's slot of the pool to the next, and queues its second half.
    pub(super) fn hold_ends(&mut self, key: Key) {
        let Some(request) = self.requests.get(key) else {
            return;
        };
        request.stage = Stage::Second;
        self.ready.push_back((self.now, Task::Request(key)));
        self.release_slot();
    }

    fn release_slot(&mut self) {
        self.pool.release();
        self.fill_pool();
    }

    /// Gives the pool's free slots to the requests that wait.
    pub(super) fn fill_pool(&mut self) {
        loop {
            let requests = &self.requests;
            let Some(next) = self.pool.next(|key| requests.peek(key).is_some()) else {
                return;
            };
            self.hold(next);
        }
    }

    /// Stops the work of a client that has left, as far as the app is written so.
    pub(super) fn stop_work(&mut self, key: Key, request: Request) {
        if request.stage == Stage::Dropped {
            self.requests.remove(key);
        } else if self.life.service.on_leave == OnLeave::Continue {
            if request.seen {
                self.layer.end(Ending::Cancelled, self.now - request.begun);
                if let Some(request) = self.requests.get(key) {
                    request.seen = false;
                }
            }
        } else if request.stage == Stage::Waiting {
            self.end(key, Ending::Cancelled);
        } else if request.stage == Stage::Holding {
            self.end(key, Ending::Cancelled);
            self.release_slot();
        }
    }

    /// Ends a request.
    pub(super) fn end(&mut self, key: Key, ending: Ending) {
        let Some(&mut request) = self.requests.get(key) else {
            return;
        };
        if request.seen {
            self.measured.inside += self.now - request.begun;
            self.layer.end(ending, self.now - request.begun);
        }
        self.requests.remove(key);
        self.answer(&request, ending == Ending::Ok);
    }
}
