//! Discrete-event simulation of one [`Life`]: every request is simulated.
//!
//! ```text
//! clients ─► accept backlog ─► worker: first half ─► pool ─► worker: second half ─► response
//!            (unseen by the    (the layer sees the   (slots,  (the end of the
//!             layer)            request from here)    hold)    request)
//! ```
//! Clients may keep connections, as a pool or a reverse proxy does ([`connections`]): a request then waits for
//! one, unseen by the app, and needs no place in the backlog if the connection is open. The runtime may look at
//! its sockets and timers only now and then ([`looks`]).
//!
//! Workers take tasks in order of readiness; their CPU comes from [`cpu`], subject to a quota and to noisy
//! neighbours.
//! A probe of the front door waits like a client's connection, and a ping of the runtime like a task;
//! the care port has a thread of its own. Each request draws its random numbers from its own generator, by its
//! index, so that a treatment does not change arrivals and demands.
//!
//! The parts own their state and receive everything else they touch as arguments: [`patient`] is the app with
//! its clients, machine and faults, [`doctor`] polls and treats it, and the event loop of this module
//! advances both.
//!
//! # Hazards
//!
//! - A connection carries one request at a time: HTTP/2 and streams are not simulated. A kept connection stays
//!   open until its client leaves or the process exits.
//! - A response is sent at once: a request waits for its head for as long as it is in flight.
//! - The busiest thread is as busy as the workers taken together while one of them is enough.
//! - The lock of a convoy is fair. A real one may be taken again before a thread that waits for it wakes up, so
//!   that some requests of a small pool of connections wait much longer, and a front-door probe much shorter.
//! - A connection that the full backlog drops is not tried again, as TCP does after 1, 3 and 7 s.
//! - Contention of other containers for a core is a constant wait of each wake-up, and a window of fewer cores.
//! - Other replicas are modelled only as the share of requests that they take over while this app is not ready: while it
//!   boots, drains or is down. A readiness probe that fails for another reason diverts nothing.
//! - Without [`newest_first`](super::spec::Service::newest_first) a saturated queue serves only
//!   requests whose clients have left, and any restart looks like a cure.

mod app;
mod call;
mod care_port;
mod checks;
mod client_counts;
mod clients;
mod collapse;
mod connections;
mod cpu;
mod cpu_meter;
mod demand;
mod departures;
mod doctor;
mod events;
mod faults;
mod goodput;
mod heartbeat;
mod layer;
mod looks;
mod machine;
mod measured;
mod memory;
mod patient;
mod pipeline;
mod polls;
mod pool;
mod process;
mod requests;
mod sockets;
mod streams;
mod tasks;
mod trace;
mod treatments;
mod workers;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use client_counts::ClientCounts;
pub use cpu::CpuTotals;
pub(crate) use measured::Measured;
pub use trace::TracePoint;

use std::time::Duration;

use super::results::Results;
use super::spec::{Fault, Life};
use super::{Decider, EpisodeOutcome};
use cpu::PERIOD;
use doctor::Doctor;
use events::{Event, Events};
use patient::{BootEnd, Patient};
use sockets::sockets;
use trace::Prober;

/// Results of a simulation.
#[derive(Debug)]
pub(crate) struct Simulated {
    /// Outcome, with `unavoidable` left at zero.
    pub(crate) outcome: EpisodeOutcome,
    /// Time at which a metastable failure was first detected, in seconds.
    pub(crate) collapsed_at: Option<f64>,
    /// Results of the clients' calls.
    pub(crate) results: Results,
    /// Figures that validate the simulation.
    #[cfg_attr(not(test), allow(dead_code))] // read by tests alone
    pub(crate) measured: Measured,
}

/// Ticks per second.
const TICKS: u64 = 10;

/// Simulates a life under a decider.
pub(crate) fn simulate(life: &Life, decider: &mut dyn Decider) -> Simulated {
    let mut simulation = Simulation::new(life);
    while simulation.step(decider) {}
    simulation.finish()
}

/// Simulates a life without any treatment. Returns its figures after each interval of `every_seconds`,
/// 0.1 s or longer, in ascending order of time.
///
/// The doctor of the life is replaced by one that only probes, at the same interval: like the recorder
/// of a real run, it opens one connection after the other. Figures that the app does not report are
/// absent, see [`Life::visible`].
#[must_use]
pub fn trace(life: &Life, every_seconds: f64) -> Vec<TracePoint> {
    let every = every_seconds.max(PERIOD);
    let life = Prober::attach(life, every);
    let mut prober = Prober::new();
    let mut simulation = Simulation::new(&life);
    let mut points = Vec::new();
    let mut due = every;
    let mut goes_on = true;
    while goes_on {
        goes_on = simulation.step(&mut prober);
        if simulation.now >= due {
            let Simulation { now, patient, .. } = &simulation;
            points.push(TracePoint::of(*now, &life, patient, &prober));
            due += every;
        }
    }
    points
}

/// Event loop over a patient and its doctor.
#[derive(Debug)]
struct Simulation<'a> {
    life: &'a Life,
    now: f64,
    /// Number of ticks so far.
    ticks: u64,
    next_tick: f64,
    events: Events,
    patient: Patient<'a>,
    doctor: Doctor<'a>,
}

// === impl Simulation ===

impl<'a> Simulation<'a> {
    /// Returns the simulation at its start, with the first events scheduled.
    fn new(life: &'a Life) -> Self {
        let mut simulation = Self {
            life,
            now: 0.0,
            ticks: 0,
            next_tick: PERIOD,
            events: Events::default(),
            patient: Patient::new(life),
            doctor: Doctor::new(life),
        };
        let events = &mut simulation.events;
        simulation.patient.schedule(events);
        simulation.doctor.polls.schedule_first(events);
        simulation.patient.clients.start_closed_loop(events);
        simulation.patient.change(0.0);
        simulation.tick();
        simulation
    }

    /// Advances to the next event. Returns `false` at the end of the episode.
    fn step(&mut self, decider: &mut dyn Decider) -> bool {
        let (arrival, event) = (self.patient.clients.next_arrival, self.events.next_time());
        let (cpu, tick) = (self.patient.app.cpu.next_event(), self.next_tick);
        let departure = self.patient.next_departure();
        let next = arrival.min(event).min(cpu).min(tick).min(departure);
        if next >= self.life.seconds {
            self.advance(self.life.seconds);
            return false;
        }
        // Nothing changes between two events, so the sockets are still those of the read's time.
        while self.doctor.polls.sockets.is_due(next) {
            self.doctor.polls.sockets.read(sockets(&self.patient));
        }
        self.advance(next);
        if next == arrival {
            self.patient.arrive(next, &mut self.events);
        } else if next == event {
            if let Some(event) = self.events.pop() {
                self.handle(event, decider);
            }
        } else if next == departure {
            self.patient.depart(next, &mut self.events);
        } else if next == tick {
            self.tick();
        }
        self.patient.dispatch(self.now, &mut self.events);
        true
    }

    /// Advances the CPU and handles the jobs that are complete.
    fn advance(&mut self, to: f64) {
        self.patient.app.pipeline.advance(to - self.now);
        self.now = to;
        let mut ended = self.patient.app.cpu.advance(to);
        while let Some(job) = ended {
            if let Some(probe) = self.patient.job_ends(to, job, &mut self.events) {
                self.doctor
                    .polls
                    .probe_responds(to, probe, &mut self.events);
            }
            ended = self.patient.app.cpu.take_ended();
        }
    }

    /// Does the periodic work.
    fn tick(&mut self) {
        let (now, events) = (self.now, &mut self.events);
        if self.ticks.is_multiple_of(TICKS) && self.patient.second(now, self.ticks / TICKS, events)
        {
            self.doctor.polls.reset_probe(now, events);
        }
        self.ticks += 1;
        self.patient.tick(now, events);
        #[allow(clippy::cast_precision_loss)] // small
        let next = self.ticks as f64 * PERIOD;
        self.next_tick = next;
    }

    fn handle(&mut self, event: Event, decider: &mut dyn Decider) {
        let Self {
            now,
            events,
            patient,
            doctor,
            ..
        } = self;
        let now = *now;
        match event {
            Event::Send(call) => patient.send(now, call, events),
            Event::Leave(key) => patient.leave(now, key, events),
            Event::HoldEnds(key) => patient.hold_ends(now, key, events),
            Event::BlockEnds(key) => patient.block_ends(now, key, events),
            Event::Change => patient.change(now),
            Event::ProcessStarts(instance) => patient.process_starts(now, instance, events),
            Event::BootEnds(instance) => match patient.boot_ends(now, instance, events) {
                BootEnd::Serves => doctor.treatments.end_loss(now),
                BootEnd::Crashed => doctor.polls.reset_probe(now, events),
                BootEnd::Gone => {}
            },
            Event::Poll => doctor.poll(now, patient, events),
            Event::ProbeTimesOut(probe) => doctor.polls.probe_times_out(now, probe, events),
            Event::PollEnds => doctor.poll_ends(now, patient, events, decider),
            Event::SoftHealEnds => doctor.soft_heal_ends(now, patient, events, decider),
            Event::DrainCheck(instance, is_deadline) => {
                doctor.drain_check(now, (instance, is_deadline), patient, events, decider);
            }
        }
    }

    /// Returns the result.
    fn finish(self) -> Simulated {
        let (patient, seconds) = (self.patient, self.life.seconds);
        let measured = Measured::of(&patient.clients, &patient.app, self.now);
        let (treatments, capacity_lost) = self.doctor.treatments.finish(self.now);
        let results = patient.clients.results;
        let faults = self.life.faults.iter();
        let onset = faults.map(|fault| fault.onset).reduce(f64::min);
        let outcome = EpisodeOutcome {
            duration: Duration::from_secs_f64(seconds),
            requests: results.calls(),
            failed: results.failed(),
            unavoidable: 0,
            capacity_lost,
            recovery: onset.and_then(|onset| results.recovery(onset, seconds)),
            treatments,
            treatable: self.life.faults.iter().any(Fault::is_treatable),
        };
        Simulated {
            outcome,
            collapsed_at: patient.collapse.first,
            results,
            measured,
        }
    }
}
