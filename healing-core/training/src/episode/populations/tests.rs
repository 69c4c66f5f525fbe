//! Populations: reproducible, as described, fast enough.

use super::memory_shapes::Shape;
use super::sick_stressed::Sickness;
use super::stressed::Stress;
use super::*;
use crate::episode::IncidentEpisode;
use crate::episode::simulation::{Simulated, simulate};
use crate::episode::spec::{Fault, Life};
use crate::episode::{Decider, Episode, EpisodeOutcome, LifeEpisode};
use crate::simulator::Scenario;
use healing_core::decision::Action;
use healing_core::observation::{Now, Observation};

/// Decider that never treats.
struct Nothing;

impl Decider for Nothing {
    fn poll(&mut self, _: Now, _: &Observation) -> Action {
        Action::NoAction
    }
}

fn untreated(life: &Life) -> Simulated {
    simulate(life, &mut Nothing)
}

#[allow(clippy::cast_precision_loss)]
fn failed_share(outcome: &EpisodeOutcome) -> f64 {
    outcome.failed as f64 / outcome.requests.max(1) as f64
}

#[test]
fn episodes_are_reproducible_and_differ_by_seed() {
    for population in all() {
        let run = |seed| population.draw(seed).run(&mut Nothing);
        assert_eq!(run(3), run(3), "{}", population.name());
        assert_ne!(run(3), run(4), "{}", population.name());
    }
}

#[test]
fn stressed_apps_have_no_treatable_fault_and_lose_requests() {
    let mut losing = 0;
    for (seed, stress) in (0..).zip(Stress::ALL) {
        let life = stressed::draw(stress, seed);
        assert!(!life.faults.iter().any(Fault::is_treatable), "{stress:?}");
        let outcome = untreated(&life).outcome;
        assert!(outcome.requests > 0, "{stress:?}");
        losing += u32::from(failed_share(&outcome) > 0.01);
    }
    assert!(losing >= 5, "{losing}");
}

#[test]
fn sick_apps_suffer_and_their_treatment_helps() {
    let mut helped = 0;
    for (seed, sickness) in (0..).zip(Sickness::ALL) {
        let life = sick_stressed::draw(sickness, seed);
        let outcome = LifeEpisode::new(life).run(&mut Nothing);
        assert!(outcome.treatable, "{sickness:?}");
        helped += u32::from(outcome.unavoidable * 2 < outcome.failed);
    }
    assert!(helped >= 9, "{helped}");
}

#[test]
fn named_scenarios_are_treatable_as_in_the_training_simulator() {
    for (seed, scenario) in (0..).zip(Scenario::ALL) {
        let named = untreated(&named::draw(scenario, seed)).outcome;
        let incident = IncidentEpisode::new(scenario, seed);
        let incident = incident.run(&mut Nothing);
        assert_eq!(named.treatable, incident.treatable, "{scenario:?}");
    }
}

#[test]
fn half_of_the_memory_shapes_are_leaks_that_reach_their_limit() {
    let mut killed = 0;
    for (seed, shape) in (0..).zip(Shape::ALL) {
        let simulated = untreated(&memory_shapes::draw(shape, seed));
        let is_killed = simulated.measured.killed_at.is_some();
        assert!(simulated.outcome.treatable || !is_killed, "{shape:?}");
        killed += u32::from(is_killed);
    }
    assert!(killed >= 3, "{killed}");
}

#[test]
fn half_an_hour_at_300_requests_per_second_takes_under_a_second() {
    let mut rng = healing_core::rng::Rng::new(0);
    let life = draw::life(0, 1800.0, 300.0, 0.7, &mut rng);
    let start = cpu_seconds();
    let requests = untreated(&life).outcome.requests;
    let took = cpu_seconds() - start;
    assert!(requests > 500_000 && took < 1.0, "{requests} in {took} s");
}

/// Returns the CPU time of this thread in seconds, as Linux reports it.
fn cpu_seconds() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds: f64 = statistics.split(' ').next().unwrap().parse().unwrap();
    nanoseconds / 1e9
}
