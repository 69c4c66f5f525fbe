//! Trace of a simulation: the figures that the recorder of a real run writes down.

use super::care_port;
use super::client_counts::ClientCounts;
use super::cpu::CpuTotals;
use super::patient::Patient;
use super::streams::Stream;
use crate::episode::Decider;
use crate::episode::spec::{Doctor, Life};
use healing_core::decision::Action;
use healing_core::health::Health;
use healing_core::observation::{Now, Observation, ProbeResult};

/// Figures of a simulated app at one time. Totals are since the start of the episode, except those of
/// the app's response, which are since the start of its process.
#[derive(Debug, Clone, PartialEq)]
pub struct TracePoint {
    /// Time since the start of the episode, in seconds.
    pub seconds: f64,
    /// Result of the care port at this time.
    pub care: ProbeResult<Health>,
    /// Result of the last finished probe of the front door. Probes follow each other at the interval of
    /// the trace, or as soon as the one before has finished; their limit is 2 s.
    pub front_door: ProbeResult<()>,
    /// Time at which that probe had finished, in seconds since the start of the episode.
    pub probed_at: f64,
    /// Totals of the CPU.
    pub cpu: CpuTotals,
    /// Connections that wait to be accepted.
    pub backlog: usize,
    /// Counts of the clients.
    pub clients: ClientCounts,
}

/// Doctor of a trace, which probes and never treats.
#[derive(Debug)]
pub(super) struct Prober {
    front_door: ProbeResult<()>,
    probed_at: f64,
}

// === impl TracePoint ===

impl TracePoint {
    /// Returns the figures of a patient.
    pub(super) fn of(now: f64, life: &Life, patient: &Patient<'_>, prober: &Prober) -> Self {
        let noise = Stream::Trace.rng(life.seed).part(now.to_bits());
        Self {
            seconds: now,
            care: care_port::probe(now, life, &patient.app, &noise).0,
            front_door: prober.front_door.clone(),
            probed_at: prober.probed_at,
            cpu: patient.app.cpu.totals,
            backlog: patient.app.pipeline.tasks.backlog(),
            clients: patient.clients.counts,
        }
    }
}

// === impl Prober ===

impl Prober {
    /// Returns the prober before its first probe.
    pub(super) fn new() -> Self {
        Self {
            front_door: ProbeResult::NotProbed,
            probed_at: 0.0,
        }
    }

    /// Returns a life whose doctor probes at an interval.
    pub(super) fn attach(life: &Life, interval: f64) -> Life {
        let doctor = Doctor {
            interval,
            ..Doctor::default()
        };
        Life {
            doctor,
            ..life.clone()
        }
    }
}

impl Decider for Prober {
    fn poll(&mut self, now: Now, observation: &Observation) -> Action {
        self.front_door = observation.front_door.clone();
        self.probed_at = now.monotonic.as_secs_f64();
        Action::NoAction
    }
}
