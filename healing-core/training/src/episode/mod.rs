//! Episodes in closed loop: one app's life with load, faults, and the treatments that act back on it.
//!
//! An [`Episode`] is simulated once per [`Decider`], with the same random numbers, so that deciders are
//! compared on the same life. An outcome is measured in requests that failed for a client, not in
//! figures that the app reports.

mod incident_episode;
mod life_episode;
pub mod populations;
pub(crate) mod results;
mod simulation;
pub mod spec;

pub use incident_episode::IncidentEpisode;
pub use life_episode::LifeEpisode;
pub use simulation::{ClientCounts, CpuTotals, TracePoint, trace};

use std::time::Duration;

use healing_core::decision::{Action, Decision, TreatmentReport};
use healing_core::observation::{Now, Observation};

/// One app's life, described before it is simulated.
pub trait Episode: std::fmt::Debug {
    /// Simulates the life under one decider.
    fn run(&self, decider: &mut dyn Decider) -> EpisodeOutcome;
}

/// Decider about one app, poll by poll.
pub trait Decider {
    /// Returns the action to carry out now.
    fn poll(&mut self, now: Now, observation: &Observation) -> Action;

    /// Records the report of a treatment.
    fn report(&mut self, now: Now, treatment: TreatmentReport) {
        let _ = (now, treatment);
    }

    /// Returns the decision of the latest poll with its reasons, if the decider has reasons.
    fn decision(&self) -> Option<&Decision> {
        None
    }
}

/// Distribution of episodes, from which a seed selects one.
pub trait Population {
    /// Returns the name in commands and tables, in snake_case.
    fn name(&self) -> &'static str;

    /// Draws the episode of this seed.
    fn draw(&self, seed: u64) -> Box<dyn Episode>;
}

/// Result of one episode under one decider.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EpisodeOutcome {
    /// Length of the episode.
    pub duration: Duration,
    /// Requests that clients sent.
    pub requests: u64,
    /// Requests that failed for their client: refused, reset, timed out, or with an error response.
    pub failed: u64,
    /// Requests that would have failed under the best treatment (or none) of this episode.
    pub unavoidable: u64,
    /// Time without capacity because of treatments, from the drain until the new instance serves.
    pub capacity_lost: Duration,
    /// Time from the fault until clients are served as before; absent without a fault or recovery.
    pub recovery: Option<Duration>,
    /// Treatments in order.
    pub treatments: Vec<Carried>,
    /// `true` if the app has a fault that a treatment can stop.
    pub treatable: bool,
}

/// One treatment that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// Time since the episode's start.
    pub at: Duration,
    /// Action, a soft heal or a restart.
    pub action: Action,
    /// `true` if the treatment stopped or reduced a fault.
    pub helped: bool,
}
