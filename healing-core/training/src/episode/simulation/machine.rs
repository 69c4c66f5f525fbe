//! Machine over time: the cores that neighbours leave, and the threads of jobs inside the app.

use super::events::{Event, Events};
use crate::episode::spec::Machine;

/// Schedules the times at which neighbours and jobs begin and stop.
pub(super) fn schedule_changes(machine: &Machine, events: &mut Events) {
    let neighbours = machine.neighbours.iter().map(|(from, to, _)| (*from, *to));
    let jobs = machine.jobs.iter().map(|(from, to, _)| (*from, *to));
    for (from, to) in neighbours.chain(jobs) {
        events.schedule(from, Event::Change);
        events.schedule(to, Event::Change);
    }
}

/// Returns the cores that the machine gives.
pub(super) fn cores_at(machine: &Machine, now: f64) -> f64 {
    machine
        .neighbours
        .iter()
        .find(|(from, to, _)| (*from..*to).contains(&now))
        .map_or(machine.cores, |(_, _, cores)| *cores)
}

/// Returns the threads of the jobs inside the app.
pub(super) fn job_threads_at(machine: &Machine, now: f64) -> u32 {
    let jobs = machine.jobs.iter();
    jobs.filter(|(from, to, _)| (*from..*to).contains(&now))
        .map(|(_, _, threads)| *threads)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_and_jobs_count_only_in_their_windows() {
        let machine = Machine {
            cores: 4.0,
            neighbours: vec![(10.0, 20.0, 1.5)],
            jobs: vec![(10.0, 30.0, 2), (15.0, 20.0, 3)],
            ..Machine::default()
        };
        for (now, cores, threads) in [
            (9.0, 4.0, 0),
            (10.0, 1.5, 2),
            (15.0, 1.5, 5),
            (20.0, 4.0, 2),
        ] {
            assert!((cores_at(&machine, now) - cores).abs() < 1e-9, "{now}");
            assert_eq!(job_threads_at(&machine, now), threads, "{now}");
        }
    }
}
