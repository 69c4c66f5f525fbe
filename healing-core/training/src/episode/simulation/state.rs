//! State of a simulation.

use std::collections::VecDeque;

use super::collapse::Collapse;
use super::cpu::{Cpu, CpuTotals};
use super::doctor::PollState;
use super::events::Events;
use super::faults::FaultState;
use super::heartbeat::Heartbeat;
use super::layer::Layer;
use super::measured::Measured;
use super::memory::Usage;
use super::pool::PoolState;
use super::process::Process;
use super::requests::{Key, Requests};
use crate::episode::Carried;
use crate::episode::results::Results;
use crate::episode::spec::Life;
use healing_core::rng::Rng;

/// Numbers of the independent random streams.
pub(super) mod stream {
    pub(in super::super) const ARRIVALS: u64 = 1;
    pub(in super::super) const REQUESTS: u64 = 2;
    pub(in super::super) const NOISE: u64 = 3;
    pub(in super::super) const POLLS: u64 = 4;
    pub(in super::super) const CLOSED: u64 = 5;
    pub(in super::super) const CHECKS: u64 = 6;
}

/// Task that waits for a worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Task {
    Request(Key),
    /// Probe of the front door, by its number.
    Probe(u32),
    Ping,
}

/// State of the checks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Checks {
    /// Time of the last results; absent before the first.
    pub(super) at: Option<f64>,
    pub(super) dependency_failing: bool,
    pub(super) pool_failing: bool,
}

/// Samples of the CPU time a second ago and now: time and totals.
pub(super) type CpuSamples = [(f64, CpuTotals); 2];

/// State of a simulation.
#[derive(Debug)]
pub(super) struct Simulation<'a> {
    pub(super) life: &'a Life,
    pub(super) now: f64,
    pub(super) random: Rng,
    pub(super) events: Events,
    pub(super) next_tick: f64,
    pub(super) ticks: u64,
    // The clients.
    pub(super) arrivals: Rng,
    pub(super) next_arrival: f64,
    pub(super) arrived: u64,
    /// Requests sent by each client of the closed loop.
    pub(super) closed_sent: Vec<u64>,
    /// Times at which clients with fixed patience leave.
    pub(super) leaving: VecDeque<(f64, Key)>,
    pub(super) results: Results,
    // The app.
    pub(super) process: Process,
    pub(super) requests: Requests,
    pub(super) layer: Layer,
    /// Connections that wait in front of the app, with the time of their arrival.
    pub(super) front: VecDeque<(f64, Task)>,
    /// Tasks that wait inside the app, with the time of their readiness.
    pub(super) ready: VecDeque<(f64, Task)>,
    pub(super) busy: u32,
    /// Time at which the process-wide lock is free.
    pub(super) lock_free: f64,
    pub(super) pool: PoolState,
    pub(super) heartbeat: Heartbeat,
    pub(super) checks: Checks,
    pub(super) cpu: Cpu,
    pub(super) cpu_samples: CpuSamples,
    /// CPU totals at the start of the process.
    pub(super) cpu_at_start: f64,
    pub(super) usage: Usage,
    pub(super) faults: FaultState,
    // The doctor.
    pub(super) polls: PollState,
    pub(super) carried: Vec<Carried>,
    /// Time since which a treatment takes capacity.
    pub(super) losing_since: Option<f64>,
    pub(super) capacity_lost: f64,
    pub(super) collapse: Collapse,
    pub(super) measured: Measured,
}

// === impl Simulation ===

impl<'a> Simulation<'a> {
    pub(super) fn new(life: &'a Life) -> Self {
        let random = Rng::new(life.seed);
        let mut arrivals = random.part(stream::ARRIVALS);
        let service = &life.service;
        Self {
            life,
            now: 0.0,
            events: Events::default(),
            next_tick: 0.1,
            ticks: 0,
            next_arrival: life.clients.rate.next_arrival(0.0, &mut arrivals),
            arrivals,
            arrived: 0,
            closed_sent: Vec::new(),
            leaving: VecDeque::new(),
            results: Results::default(),
            process: Process::new(&service.start),
            requests: Requests::default(),
            layer: Layer::new(),
            front: VecDeque::new(),
            ready: VecDeque::new(),
            busy: 0,
            lock_free: 0.0,
            pool: PoolState::new(service.pool.map_or(0, |pool| pool.slots)),
            heartbeat: Heartbeat::new(0.0),
            checks: Checks::default(),
            cpu: Cpu::new(life.machine.quota, life.machine.cores),
            cpu_samples: CpuSamples::default(),
            cpu_at_start: 0.0,
            usage: Usage::default(),
            faults: FaultState::new(&life.faults),
            polls: PollState::default(),
            carried: Vec::new(),
            losing_since: None,
            capacity_lost: 0.0,
            collapse: Collapse::default(),
            measured: Measured::default(),
            random,
        }
    }

    /// Returns the generator of part `index` of a stream.
    pub(super) fn draw(&self, stream: u64, index: u64) -> Rng {
        self.random.part(stream).part(index)
    }
}
