//! The patient: the app with its clients, its machine and its faults, without a doctor.

use super::app::App;
use super::call::{Call, Response};
use super::client_counts::RequestEnd;
use super::clients::Clients;
use super::collapse::{CollapseDetector, is_collapsed};
use super::connections::{Connection, ConnectionPool};
use super::cpu::Job;
use super::demand::Demand;
use super::departures::Departures;
use super::events::{Event, Events};
use super::faults::FaultState;
use super::machine::{cores_at, job_threads_at, schedule_changes};
use super::pipeline::JobEnd;
use super::process::Phase;
use super::requests::Key;
use super::streams::Stream;
use super::tasks::Task;
use crate::episode::spec::{Distribution, Life};
use healing_core::rng::Rng;

/// Time between two runs of the checks in seconds.
const CHECK_INTERVAL: u64 = 10;
/// Memory of a job inside the app, in percent of the limit per thread.
const JOB_MEMORY: f64 = 5.0;

/// App with its clients, its machine and its faults.
#[derive(Debug)]
pub(super) struct Patient<'a> {
    life: &'a Life,
    pub(super) clients: Clients<'a>,
    pub(super) connections: ConnectionPool<'a>,
    departures: Departures,
    pub(super) app: App<'a>,
    pub(super) faults: FaultState,
    pub(super) collapse: CollapseDetector,
    /// Parent of the generators of the noise of each second.
    noise: Rng,
    /// Parent of the generators of the results of the checks.
    checks: Rng,
}

/// End of a boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BootEnd {
    /// The app serves.
    Serves,
    /// The process crashed.
    Crashed,
    /// The instance had exited before.
    Gone,
}

// === impl Patient ===

impl<'a> Patient<'a> {
    /// Returns the patient at the start of a life.
    pub(super) fn new(life: &'a Life) -> Self {
        Self {
            life,
            clients: Clients::new(life),
            connections: ConnectionPool::new(life.clients.connections.as_ref()),
            departures: Departures::default(),
            app: App::new(life),
            faults: FaultState::new(&life.faults),
            collapse: CollapseDetector::default(),
            noise: Stream::Noise.rng(life.seed),
            checks: Stream::Checks.rng(life.seed),
        }
    }

    /// Schedules the changes of faults and machine, and the first start of the process.
    pub(super) fn schedule(&self, events: &mut Events) {
        for fault in &self.life.faults {
            events.schedule(fault.onset, Event::Change);
            events.schedule(fault.end, Event::Change);
        }
        schedule_changes(&self.life.machine, events);
        let age = self.life.service.start.age;
        if age < 0.0 {
            events.schedule(-age, Event::ProcessStarts(0));
        }
    }

    /// Returns the time of the next departure of a client with fixed patience.
    pub(super) fn next_departure(&mut self) -> f64 {
        self.departures.next_time(&self.app.pipeline.requests)
    }

    /// Sends the next request of the open load.
    pub(super) fn arrive(&mut self, now: f64, events: &mut Events) {
        let call = self.clients.arrive(now);
        self.send(now, call, events);
    }

    /// Sends a request, or lets it wait for a connection.
    pub(super) fn send(&mut self, now: f64, call: Call, events: &mut Events) {
        let demand = self.clients.demand(&call);
        let absorbed = self.life.clients.absorbed;
        if self.app.process.is_avoided(now) && demand.coins[2] < absorbed {
            self.clients.end_call(now, call, true, events);
            return;
        }
        self.clients.counts.sent += 1;
        let in_use = self.app.pipeline.requests.connected();
        if let Some(connection) = self.connections.take(now, call, in_use) {
            self.transmit(now, (now, call, demand), connection, events);
        }
    }

    /// Sends the requests that wait for a connection, as far as there is one.
    fn send_waiting(&mut self, now: f64, events: &mut Events) {
        let in_use = |app: &App<'_>| app.pipeline.requests.connected();
        while let Some((since, call, connection)) = self.connections.take_waiting(in_use(&self.app))
        {
            let demand = self.clients.demand(&call);
            self.transmit(now, (since, call, demand), connection, events);
        }
    }

    /// Sends the request of a call that was made at a time.
    fn transmit(
        &mut self,
        now: f64,
        (called, call, demand): (f64, Call, Demand),
        connection: Connection,
        events: &mut Events,
    ) {
        let is_new = connection == Connection::New;
        if is_new && self.app.is_refusing(&self.faults.active) {
            self.connections.close();
            let refused = RequestEnd::Refused;
            self.clients.end_request(now, call, refused, events);
            return;
        }
        let pipeline = &mut self.app.pipeline;
        let key = if is_new {
            pipeline.connect(now, call, demand)
        } else {
            pipeline.receive(now, call, demand)
        };
        let from = self.connections.patience_from(called, now);
        let leaves_at = self.clients.leaves_at(from, &call).max(now);
        if matches!(self.life.clients.patience, Distribution::Fixed(_)) {
            self.departures.push(leaves_at, key);
        } else {
            events.schedule(leaves_at, Event::Leave(key));
        }
    }

    /// Puts the connection of a probe into the backlog.
    pub(super) fn connect_probe(&mut self, now: f64, number: u32) {
        self.app.pipeline.tasks.connect(now, Task::Probe(number));
    }

    /// Lets the next client with fixed patience leave.
    pub(super) fn depart(&mut self, now: f64, events: &mut Events) {
        if let Some(key) = self.departures.pop() {
            self.leave(now, key, events);
        }
    }

    /// Lets the client of a request leave.
    pub(super) fn leave(&mut self, now: f64, key: Key, events: &mut Events) {
        let Some(request) = self.app.pipeline.requests.get(key) else {
            return;
        };
        if !request.is_awaited() {
            return;
        }
        let call = request.call;
        let is_hidden = self.connections.hides_leaving();
        request.abandoned = is_hidden;
        let timed_out = RequestEnd::TimedOut;
        self.clients.end_request(now, call, timed_out, events);
        if !is_hidden {
            self.connections.close();
            self.app.pipeline.requests.close(now, key);
            let active = &self.faults.active;
            self.app.pipeline.stop_work(now, key, active, events);
        }
    }

    /// Gives tasks to free workers, in order of their readiness.
    pub(super) fn dispatch(&mut self, now: f64, events: &mut Events) {
        self.send_waiting(now, events);
        while let Some(task) = self.app.next_task(now, &self.faults.active) {
            let response = self.app.start(now, task);
            self.respond(now, response, events);
            self.send_waiting(now, events);
        }
    }

    fn respond(&mut self, now: f64, response: Option<Response>, events: &mut Events) {
        if let Some(response) = response {
            self.clients.respond(now, response, events);
        }
    }

    /// Handles the end of a job's CPU time. Returns the number of the probe that got its response.
    pub(super) fn job_ends(&mut self, now: f64, job: Job, events: &mut Events) -> Option<u32> {
        match self.app.job_ends(now, job, &self.faults.active, events) {
            JobEnd::Ping => None,
            JobEnd::Probe(number) => Some(number),
            JobEnd::Request(response) => {
                self.respond(now, response, events);
                None
            }
        }
    }

    /// Frees the worker of a request that has blocked it.
    pub(super) fn block_ends(&mut self, now: f64, key: Key, events: &mut Events) {
        self.app.cpu.wake_up();
        let active = &self.faults.active;
        let response = self.app.pipeline.first_half_ends(now, key, active, events);
        self.respond(now, response, events);
    }

    /// Frees the slot of the pool that a request holds.
    pub(super) fn hold_ends(&mut self, now: f64, key: Key, events: &mut Events) {
        let active = &self.faults.active;
        self.app.pipeline.hold_ends(now, key, active, events);
    }

    /// Pings the runtime, samples the goodput, and fails the requests that have waited for too long: for the
    /// pool, or for a connection.
    pub(super) fn tick(&mut self, now: f64, events: &mut Events) {
        let clients = &self.clients;
        let mut expired = Vec::new();
        while let Some(call) = self
            .connections
            .expired(now, |since, call| clients.leaves_at(since, call))
        {
            expired.push(call);
        }
        for call in expired {
            let timed_out = RequestEnd::TimedOut;
            self.clients.end_request(now, call, timed_out, events);
        }
        if self.app.process.phase != Phase::Down {
            self.app.pipeline.layer.sample_goodput();
        }
        if self.app.process.phase == Phase::Serving {
            self.app.ping(now, &self.faults.active);
            for response in self.app.pipeline.expire_waiting(now) {
                self.clients.respond(now, response, events);
            }
        }
    }

    /// Does the work of each second. Returns `true` if the kernel kills the process.
    pub(super) fn second(&mut self, now: f64, second: u64, events: &mut Events) -> bool {
        let app = &mut self.app;
        let active = &self.faults.active;
        app.cpu_meter.sample(now, &app.cpu.totals);
        self.collapse
            .observe(now, is_collapsed(now, self.life, app, active));
        if app.process.phase == Phase::Down {
            return false;
        }
        let job = JOB_MEMORY * f64::from(job_threads_at(&self.life.machine, now));
        app.update_usage(now, active, job, &mut self.noise.part(second));
        if second.is_multiple_of(CHECK_INTERVAL) {
            app.run_checks(now, active, self.checks.part(second).unit());
        }
        let is_killed = app.usage.memory >= 100.0;
        if is_killed {
            app.killed_at.get_or_insert(now);
            self.exit(now, events);
        }
        is_killed
    }

    /// Applies faults, neighbours and jobs of this time.
    pub(super) fn change(&mut self, now: f64) {
        self.faults.update(now);
        let machine = &self.life.machine;
        self.app.cpu.set_cores(cores_at(machine, now));
        let runs = self.app.process.phase != Phase::Down;
        let threads = self.faults.active.spinning + job_threads_at(machine, now);
        self.app.cpu.set_extra(if runs { threads } else { 0 });
    }

    /// Completes a soft heal. Returns `true` if it stopped a fault.
    pub(super) fn soft_heal(&mut self, now: f64, events: &mut Events) -> bool {
        let helped = self.faults.soft_heal(now);
        self.app.soft_heal(now, helped, &self.faults.active, events);
        self.change(now);
        helped
    }

    /// Ends the process for a restart. Returns the time at which the next container is created, and
    /// `true` if the restart stops a fault or a metastable failure.
    pub(super) fn restart(&mut self, now: f64, events: &mut Events) -> (f64, bool) {
        let collapsed = self.collapse.is_persistent(now);
        let helped = self.faults.restart(now) || collapsed;
        (self.exit(now, events), helped)
    }

    /// Ends the process: all its requests fail. Returns the time at which the next container is
    /// created.
    fn exit(&mut self, now: f64, events: &mut Events) -> f64 {
        self.connections.close_all();
        let (next, requests) = self.app.exit(now);
        events.schedule(next, Event::ProcessStarts(self.app.process.instance));
        self.faults.restart(now);
        self.change(now);
        for request in requests {
            let reset = RequestEnd::Reset;
            self.clients.end_request(now, request.call, reset, events);
        }
        next
    }

    /// Starts the process of this instance.
    pub(super) fn process_starts(&mut self, now: f64, instance: u32, events: &mut Events) {
        if instance != self.app.process.instance {
            return;
        }
        self.app.start_process(now);
        self.change(now);
        let boot = self.life.service.start.boot_seconds;
        events.schedule(now + boot, Event::BootEnds(instance));
    }

    /// Completes the boot of this instance.
    pub(super) fn boot_ends(&mut self, now: f64, instance: u32, events: &mut Events) -> BootEnd {
        let process = &self.app.process;
        if instance != process.instance || process.phase != Phase::Booting {
            BootEnd::Gone
        } else if self.app.boot(now) {
            BootEnd::Serves
        } else {
            self.exit(now, events);
            BootEnd::Crashed
        }
    }
}
