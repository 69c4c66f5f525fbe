//! Discrete-event simulation of one [`Life`]: every request is simulated, none is weighted.
//!
//! ```text
//! clients ─► accept backlog ─► worker: first half ─► pool ─► worker: second half ─► response
//!            (unseen by the    (the layer sees the   (slots,  (the end of the
//!             layer)            request from here)    hold)    request)
//! ```
//! Workers take tasks in order of readiness; their CPU comes from [`cpu`], with quota and neighbours.
//! A probe of the front door takes the clients' way, a ping of the runtime the tasks' way; the care
//! port has a thread of its own. Each request draws its random numbers from its own generator, by its
//! index, so that a treatment changes no arrival and no demand.
//!
//! # Hazards
//!
//! - A connection carries one request: keep-alive, HTTP/2 and streams are not simulated.
//! - Other replicas are only a share of requests that they absorb while this app is not ready: while it
//!   boots, drains or is down. A readiness probe that fails for another reason diverts nothing.
//! - Without [`newest_first`](super::spec::Service::newest_first) a saturated queue serves dead requests
//!   alone, and any restart of it looks like a cure.

mod call;
mod collapse;
mod cpu;
mod doctor;
mod events;
mod faults;
mod flow;
mod heartbeat;
mod layer;
mod measured;
mod memory;
mod observe;
mod pool;
mod process;
mod requests;
mod send;
mod state;
mod ticks;
mod treatment;
mod workers;

#[cfg(test)]
mod tests;

pub(crate) use measured::Measured;

use std::time::Duration;

use super::results::Results;
use super::spec::{Fault, Life};
use super::{Decider, EpisodeOutcome};
use events::Event;
use state::Simulation;

/// Result of a simulation.
#[derive(Debug)]
pub(crate) struct Simulated {
    /// Outcome, in which nothing is unavoidable.
    pub(crate) outcome: EpisodeOutcome,
    /// Time at which a metastable failure first counted, in seconds.
    pub(crate) collapsed_at: Option<f64>,
    /// Results of the clients' calls.
    pub(crate) results: Results,
    /// Figures that validate the simulation.
    #[cfg_attr(not(test), allow(dead_code))] // read by tests alone
    pub(crate) measured: Measured,
}

/// Simulates a life under a decider.
pub(crate) fn simulate(life: &Life, decider: &mut dyn Decider) -> Simulated {
    let mut simulation = Simulation::new(life);
    simulation.begin();
    while simulation.step(decider) {}
    simulation.finish()
}

impl Simulation<'_> {
    /// Schedules the first events.
    fn begin(&mut self) {
        let life = self.life;
        for fault in &life.faults {
            self.events.schedule(fault.onset, Event::Change);
            self.events.schedule(fault.end, Event::Change);
        }
        let windows = life
            .machine
            .neighbours
            .iter()
            .map(|(from, to, _)| (*from, *to));
        for (from, to) in windows.chain(life.machine.jobs.iter().map(|(from, to, _)| (*from, *to)))
        {
            self.events.schedule(from, Event::Change);
            self.events.schedule(to, Event::Change);
        }
        if life.service.start.age < 0.0 {
            self.events
                .schedule(-life.service.start.age, Event::ProcessStarts(0));
        }
        self.events.schedule(self.phase_of_polls(), Event::Poll);
        self.start_closed_loop();
        self.change();
        self.tick();
    }

    /// Advances to the next event. Returns `false` at the end of the episode.
    fn step(&mut self, decider: &mut dyn Decider) -> bool {
        let (arrival, event) = (self.next_arrival, self.events.next_time());
        let (cpu, tick, leave) = (self.cpu.next_event(), self.next_tick, self.next_leave());
        let next = arrival.min(event).min(cpu).min(tick).min(leave);
        if next >= self.life.seconds {
            self.advance(self.life.seconds);
            return false;
        }
        self.advance(next);
        if next == arrival {
            self.arrive();
        } else if next == event {
            if let Some(event) = self.events.pop() {
                self.handle(event, decider);
            }
        } else if next == leave {
            self.leave_first();
        } else if next == tick {
            self.next_tick = self.tick();
        }
        self.dispatch();
        true
    }

    /// Advances the CPU and ends the jobs that are complete.
    fn advance(&mut self, to: f64) {
        self.measured.advance(to - self.now, self.layer.in_flight);
        self.now = to;
        let mut ended = self.cpu.advance(to);
        while let Some(job) = ended {
            self.job_ends(job);
            ended = self.cpu.take_ended();
        }
    }

    fn handle(&mut self, event: Event, decider: &mut dyn Decider) {
        match event {
            Event::Send(call) => self.send(call),
            Event::Leave(key) => self.leave(key),
            Event::HoldEnds(key) => self.hold_ends(key),
            Event::BlockEnds(key) => self.block_ends(key),
            Event::Change => self.change(),
            Event::ProcessStarts(instance) => self.process_starts(instance),
            Event::BootEnds(instance) => self.boot_ends(instance),
            Event::Poll => self.poll(),
            Event::ProbeTimesOut(probe) => self.probe_times_out(probe),
            Event::PollEnds => self.poll_ends(decider),
            Event::SoftHealEnds => self.soft_heal_ends(decider),
            Event::DrainCheck(instance, over) => self.drain_check(instance, over, decider),
        }
    }

    /// Returns the result.
    fn finish(mut self) -> Simulated {
        self.end_capacity_loss();
        self.measured.finish(&self.cpu.totals, self.now);
        let onset = self
            .life
            .faults
            .iter()
            .map(|fault| fault.onset)
            .reduce(f64::min);
        let seconds = self.life.seconds;
        let outcome = EpisodeOutcome {
            duration: Duration::from_secs_f64(seconds),
            requests: self.results.calls(),
            failed: self.results.failed(),
            unavoidable: 0,
            capacity_lost: Duration::from_secs_f64(self.capacity_lost),
            recovery: onset.and_then(|onset| self.results.recovery(onset, seconds)),
            treatments: self.carried,
            treatable: self.life.faults.iter().any(Fault::is_treatable),
        };
        Simulated {
            outcome,
            collapsed_at: self.collapse.first,
            results: self.results,
            measured: self.measured,
        }
    }
}
