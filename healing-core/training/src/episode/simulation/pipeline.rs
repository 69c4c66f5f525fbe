//! Way of a request through the app: backlog, worker, CPU, lock, pool, response.

use super::call::{Call, Response};
use super::cpu::{Cpu, Job};
use super::demand::Demand;
use super::events::{Event, Events};
use super::faults::Active;
use super::layer::{Ending, Layer};
use super::looks::Looks;
use super::pool::PoolState;
use super::requests::{Key, Request, Requests, Stage};
use super::tasks::{Task, TaskQueues};
use super::workers::Workers;
use crate::episode::spec::{OnLeave, Service};

/// CPU time of a probe or a ping, in seconds.
const SMALL_TASK: f64 = 2e-5;
/// Job of a probe: this bit and its number.
const PROBE_JOB: Job = 1 << 31;
/// Job of a ping.
const PING_JOB: Job = Job::MAX;

/// Requests of one app, with what they wait for.
#[derive(Debug)]
pub(super) struct Pipeline<'a> {
    service: &'a Service,
    /// Requests at the app.
    pub(super) requests: Requests,
    /// Counts of the healing layer.
    pub(super) layer: Layer,
    /// Tasks that wait for a worker.
    pub(super) tasks: TaskQueues,
    /// Workers of the runtime.
    pub(super) workers: Workers,
    /// Awaited resource.
    pub(super) pool: PoolState,
    /// Number of requests that the app has not read, with those whose client has left.
    pub(super) unread: u32,
    /// Number of the connections that the backlog dropped and whose client still waits.
    pub(super) dropped: u32,
    /// Counts that validate the simulation; they survive restarts of the app.
    pub(super) counts: PipelineCounts,
}

/// Counts of the requests in a simulation.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PipelineCounts {
    /// Requests whose first task was started.
    pub(super) begun: u64,
    /// Requests among them that waited for a worker.
    pub(super) waited: u64,
    /// Requests skipped, because their client had left before they were begun.
    pub(super) discarded: u64,
    /// Requests shed.
    pub(super) shed: u64,
    /// Connections dropped, because the backlog was full.
    pub(super) dropped: u64,
    /// Sum of the times from a request's begin to its end, in seconds.
    pub(super) inside: f64,
    /// Integral of the requests in flight over time.
    pub(super) in_flight_seconds: f64,
}

/// Result of a job's last CPU time.
#[derive(Debug)]
pub(super) enum JobEnd {
    /// A ping ran.
    Ping,
    /// The probe of this number got its response.
    Probe(u32),
    /// A request continues, or finished, with the response if its client waits.
    Request(Option<Response>),
}

// === impl Pipeline ===

impl<'a> Pipeline<'a> {
    /// Returns an idle app.
    pub(super) fn new(service: &'a Service) -> Self {
        let interval = service.tasks_per_look;
        let looks = (interval > 0).then(|| Looks::new(interval));
        Self {
            service,
            requests: Requests::default(),
            layer: Layer::new(service.routes.len()),
            tasks: TaskQueues::new(service.backlog, looks),
            workers: Workers::new(service.workers),
            pool: PoolState::new(service.pool.map_or(0, |pool| pool.slots)),
            unread: 0,
            dropped: 0,
            counts: PipelineCounts::default(),
        }
    }

    /// Adds the requests in flight of the `elapsed` seconds to their integral.
    #[allow(clippy::cast_precision_loss)] // small
    pub(super) fn advance(&mut self, elapsed: f64) {
        self.counts.in_flight_seconds += elapsed * self.layer.in_flight as f64;
    }

    /// Puts the connection of a call into the backlog, which drops it if it is full.
    pub(super) fn connect(&mut self, now: f64, call: Call, demand: Demand) -> Key {
        let stage = if self.tasks.has_room() {
            self.unread += 1;
            Stage::Front
        } else {
            self.dropped += 1;
            self.counts.dropped += 1;
            Stage::Dropped
        };
        let key = self.requests.insert(call, demand, now, stage);
        self.tasks.connect(now, Task::Request(key));
        key
    }

    /// Adds the request of a call on a connection that is open.
    pub(super) fn receive(&mut self, now: f64, call: Call, demand: Demand) -> Key {
        let key = self.requests.insert(call, demand, now, Stage::Front);
        self.unread += 1;
        self.tasks.push_event(now, Task::Request(key));
        key
    }

    /// Removes the next task in the order in which workers take them. See [`TaskQueues::pop`].
    pub(super) fn next_task(&mut self, now: f64, accepts: bool) -> Option<(f64, Task)> {
        let share = self.service.newest_first;
        let requests = &self.requests;
        self.tasks.pop(now, accepts, |task| match task {
            Task::Request(key) if share > 0.0 => requests
                .peek(key)
                .is_some_and(|request| !request.left() && request.demand.coins[3] < share),
            _ => false,
        })
    }

    /// Gives a task that has waited since `since` to a free worker. `cold` is the CPU time of a
    /// request relative to the usual.
    pub(super) fn start(
        &mut self,
        now: f64,
        (since, task): (f64, Task),
        cold: f64,
        cpu: &mut Cpu,
    ) -> Option<Response> {
        let (job, seconds) = match task {
            Task::Probe(number) => (PROBE_JOB | number, SMALL_TASK),
            Task::Ping => (PING_JOB, SMALL_TASK),
            Task::Request(key) => {
                let request = *self.requests.peek(key)?;
                let ending = if request.stage == Stage::Second {
                    self.is_stopped(&request).then_some(Ending::Cancelled)
                } else if self.is_discarded(&request) {
                    self.counts.discarded += 1;
                    self.unread -= 1;
                    self.requests.remove(key);
                    return None;
                } else {
                    self.begin(now, since, key)
                };
                if let Some(ending) = ending {
                    return self.finish(now, key, ending);
                }
                let part = match (self.service.pool, request.stage) {
                    (None, _) => 1.0,
                    (Some(_), Stage::Second) => 1.0 - self.service.cpu_before_await,
                    (Some(_), _) => self.service.cpu_before_await,
                };
                (key.slot, request.demand.cpu * part * cold)
            }
        };
        self.workers.occupy();
        if now <= since {
            cpu.wake_up();
        }
        cpu.start(job, seconds);
        None
    }

    /// Counts a request as in flight. Returns its ending if it is shed.
    fn begin(&mut self, now: f64, since: f64, key: Key) -> Option<Ending> {
        let request = self.requests.get(key)?;
        request.stage = Stage::First;
        request.begun = now;
        request.seen = true;
        let route = request.demand.route;
        self.unread -= 1;
        self.counts.begun += 1;
        self.counts.waited += u64::from(now > since);
        self.layer.begin(key, route, &self.requests);
        let limit = self.service.shed_above?;
        let is_shed = self.layer.in_flight > limit;
        self.counts.shed += u64::from(is_shed);
        is_shed.then_some(Ending::Error)
    }

    /// Handles the end of a job's CPU time.
    pub(super) fn job_ends(
        &mut self,
        now: f64,
        job: Job,
        active: &Active,
        events: &mut Events,
    ) -> JobEnd {
        if job >= PROBE_JOB {
            self.workers.release();
            return if job == PING_JOB {
                JobEnd::Ping
            } else {
                JobEnd::Probe(job & !PROBE_JOB)
            };
        }
        let key = self.requests.key(job);
        JobEnd::Request(key.and_then(|key| self.cpu_ends(now, key, active, events)))
    }

    /// Handles the end of the CPU time of one half of a request.
    fn cpu_ends(
        &mut self,
        now: f64,
        key: Key,
        active: &Active,
        events: &mut Events,
    ) -> Option<Response> {
        let request = *self.requests.peek(key)?;
        if request.stage == Stage::Second {
            self.workers.release();
            return self.finish(now, key, Ending::Ok);
        }
        let mut free_at = now + request.demand.blocking;
        if active.lock > 0.0 {
            free_at = free_at.max(self.workers.lock(now, active.lock));
        }
        if free_at > now {
            events.schedule(free_at, Event::BlockEnds(key));
            return None;
        }
        self.first_half_ends(now, key, active, events)
    }

    /// Frees the worker of a request after its first half.
    pub(super) fn first_half_ends(
        &mut self,
        now: f64,
        key: Key,
        active: &Active,
        events: &mut Events,
    ) -> Option<Response> {
        let request = *self.requests.peek(key)?;
        self.workers.release();
        let is_jammed = request.demand.coins[1] < active.jammed;
        let failure = failure(&request.demand, self.service.errors, active);
        let ending = match failure {
            Some(failure) => Some(failure),
            None if is_jammed => None,
            None if self.service.pool.is_none() => Some(Ending::Ok),
            None => self.is_stopped(&request).then_some(Ending::Cancelled),
        };
        if let Some(ending) = ending {
            return self.finish(now, key, ending);
        }
        if !is_jammed && self.pool.acquire(now, key) {
            self.hold(now, key, active, events);
        } else if let Some(request) = self.requests.get(key) {
            request.stage = Stage::Waiting;
        }
        None
    }

    /// Returns `true` if a request that waits in front of the app is skipped.
    fn is_discarded(&self, request: &Request) -> bool {
        request.left()
            && self.service.on_leave == OnLeave::Discard
            && self.tasks.has_noticed(request.left_at)
    }

    /// Returns `true` if the app stops the work of this request at its next await.
    fn is_stopped(&self, request: &Request) -> bool {
        request.left()
            && self.service.on_leave != OnLeave::Continue
            && self.tasks.has_noticed(request.left_at)
    }

    fn hold(&mut self, now: f64, key: Key, active: &Active, events: &mut Events) {
        if let Some(request) = self.requests.get(key) {
            request.stage = Stage::Holding;
            let at = now + request.demand.hold * active.pool_factor;
            events.schedule(at, Event::HoldEnds(key));
        }
    }

    /// Gives a request's slot of the pool to the next, and queues its second half.
    pub(super) fn hold_ends(&mut self, now: f64, key: Key, active: &Active, events: &mut Events) {
        let Some(request) = self.requests.get(key) else {
            return;
        };
        request.stage = Stage::Second;
        self.tasks.push_event(now, Task::Request(key));
        self.pool.release();
        self.fill_pool(now, active, events);
    }

    /// Gives the pool's free slots to the requests that wait.
    pub(super) fn fill_pool(&mut self, now: f64, active: &Active, events: &mut Events) {
        loop {
            let requests = &self.requests;
            let Some(next) = self.pool.next(|key| requests.peek(key).is_some()) else {
                return;
            };
            self.hold(now, next, active, events);
        }
    }

    /// Fails the requests that have waited for the pool for too long.
    pub(super) fn expire_waiting(&mut self, now: f64) -> Vec<Response> {
        let mut responses = Vec::new();
        let Some(pool) = self.service.pool else {
            return responses;
        };
        while let Some(key) = self.pool.expired(now - pool.acquire_timeout) {
            responses.extend(self.finish(now, key, Ending::Error));
        }
        responses
    }

    /// Returns the times since which the first requests in front of the app and for the pool wait.
    pub(super) fn waiting_since(&self) -> [Option<f64>; 2] {
        [self.tasks.first_request_since(), self.pool.first_since()]
    }

    /// Stops the work of a client that has left, to the degree to which the app does so.
    pub(super) fn stop_work(&mut self, now: f64, key: Key, active: &Active, events: &mut Events) {
        let Some(request) = self.requests.get(key) else {
            return;
        };
        let stage = request.stage;
        if stage == Stage::Dropped {
            self.dropped -= 1;
            self.requests.remove(key);
        } else if self.service.on_leave == OnLeave::Continue {
            if request.seen {
                request.seen = false;
                let (seconds, route) = (now - request.begun, request.demand.route);
                self.layer.end(Ending::Cancelled, seconds, route);
            }
        } else if stage == Stage::Waiting {
            self.finish(now, key, Ending::Cancelled);
        } else if stage == Stage::Holding {
            self.finish(now, key, Ending::Cancelled);
            self.pool.release();
            self.fill_pool(now, active, events);
        }
    }

    /// Finishes a request. Returns the response if its client still waits.
    fn finish(&mut self, now: f64, key: Key, ending: Ending) -> Option<Response> {
        let request = *self.requests.peek(key)?;
        if request.seen {
            self.counts.inside += now - request.begun;
            let route = request.demand.route;
            self.layer.end(ending, now - request.begun, route);
        }
        self.requests.remove(key);
        request.is_awaited().then_some(Response {
            call: request.call,
            sent: request.sent,
            ok: ending == Ending::Ok,
        })
    }

    /// Drops everything at the exit of the process. Returns the requests whose clients still wait.
    pub(super) fn reset(&mut self) -> Vec<Request> {
        self.tasks.clear();
        self.pool.clear();
        self.pool.leaked = 0.0;
        self.workers.clear();
        self.layer = Layer::new(self.service.routes.len());
        (self.unread, self.dropped) = (0, 0);
        self.requests.drain()
    }
}

/// Returns the ending of a request that fails. `errors` is the share that fails without a fault.
fn failure(demand: &Demand, errors: f64, active: &Active) -> Option<Ending> {
    let [usual, mut fault, ..] = demand.coins;
    if usual < errors {
        return Some(Ending::Error);
    }
    if fault < active.panics {
        return Some(Ending::Panic);
    }
    fault -= active.panics;
    let route = active
        .route_errors
        .filter(|(route, _)| u32::try_from(*route) == Ok(demand.route))
        .map_or(0.0, |(_, share)| share);
    (fault < active.errors + active.dependency_down + route).then_some(Ending::Error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(route: u32, usual: f64, fault: f64) -> Demand {
        Demand {
            cpu: 0.0,
            blocking: 0.0,
            hold: 0.0,
            route,
            coins: [usual, fault, 0.0, 0.0],
        }
    }

    #[test]
    fn coins_select_the_failure() {
        let active = Active {
            panics: 0.1,
            errors: 0.2,
            route_errors: Some((1, 0.5)),
            ..Active::default()
        };
        for (route, usual, fault, expected) in [
            (0, 0.005, 0.9, Some(Ending::Error)),
            (0, 0.5, 0.05, Some(Ending::Panic)),
            (0, 0.5, 0.25, Some(Ending::Error)),
            (0, 0.5, 0.35, None),
            (1, 0.5, 0.35, Some(Ending::Error)),
            (1, 0.5, 0.85, None),
        ] {
            let ending = failure(&demand(route, usual, fault), 0.01, &active);
            assert_eq!(ending, expected, "{route} {usual} {fault}");
        }
    }
}
