//! Life of a recorded run.

use super::super::case::{Fault as RecordedFault, RecordedCase};
use super::super::recording::Recording;
use super::app::Endpoint;
use super::transport::transport;
use super::usual::{IDLE_CORES, Usual};
use crate::episode::spec::{
    Clients, ClosedLoop, Cure, Distribution, Effect, Fault, Life, Machine, Rate, Route,
};

/// Share of the requests that fail after the task in the background has panicked, by the paths of the run.
const BACKGROUND_SHARE: f64 = 0.3;
/// Share of the requests to the route that fails.
const FAILING_ROUTE_SHARE: f64 = 0.05;

/// Phase of the load.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Load {
    /// Requests per second.
    Open(f64),
    /// Number of clients in a closed loop.
    Closed(u32),
}

/// Returns the life of a recorded run; absent if the simulator lacks a part of it.
#[must_use]
pub fn rebuilt_life(recording: &Recording) -> Option<Life> {
    let case = &recording.case;
    // The recorder's own requests for the app's counts are among the totals of the answer.
    let is_counted = recording
        .samples
        .iter()
        .any(|sample| sample.app_counts.is_some());
    let endpoint = Endpoint::of(case).filter(|_| !is_counted)?;
    let usual = Usual::of(recording, endpoint)?;
    let transport = transport(case)?;
    let phases = phases(case)?;
    let seconds = phases.last().map(|(_, end, _)| *end)?;
    let settings = settings(case, endpoint.setting());
    let first_wait = settings.first().map_or(0.0, |(_, wait)| *wait);
    let rate = |t: f64| {
        let phase = phases
            .iter()
            .find(|(from, to, _)| (*from..*to).contains(&t));
        match phase {
            Some((_, _, Load::Open(rate))) => *rate,
            _ => 0.0,
        }
    };
    let closed = phases.iter().find_map(|(from, _, load)| match load {
        Load::Closed(clients) => Some(ClosedLoop {
            clients: *clients,
            thinking: Distribution::Fixed(0.0),
            from: *from,
        }),
        Load::Open(_) => None,
    });
    let mut life = Life::new(1);
    life.seconds = seconds;
    life.service = endpoint.service(usual.workers, usual.cpu, first_wait);
    life.clients = Clients {
        rate: Rate::of(seconds, rate),
        evenly: transport.evenly,
        closed,
        connections: transport.connections,
        patience: Distribution::Fixed(case.client_timeout_seconds),
        ..Clients::default()
    };
    life.machine = Machine {
        quota: usual.quota,
        cores: usual.cores,
        idle_cores: IDLE_CORES,
        wake_up_wait: usual.wake_up_wait,
        ..Machine::default()
    };
    life.faults = changes(endpoint, &settings);
    for fault in &case.faults {
        apply(&mut life, endpoint, usual.cpu, fault)?;
    }
    Some(life)
}

/// Returns the end of the phase with the fault, in seconds.
pub(super) fn end_of_fault(case: &RecordedCase) -> f64 {
    let phases = phases(case).unwrap_or_default();
    let end = phases.last().map_or(0.0, |(_, end, _)| *end);
    let ends = case.faults.iter().filter_map(|fault| {
        let lasts = match (fault.name.as_str(), fault.parameters.as_slice()) {
            ("burn", [_, seconds]) | ("batch_s", [seconds]) => *seconds,
            ("restart", _) => 0.0,
            _ => return None,
        };
        Some(fault.seconds + lasts)
    });
    ends.fold(end, f64::min)
}

/// Returns the phases of the load: from, to, load.
fn phases(case: &RecordedCase) -> Option<Vec<(f64, f64, Load)>> {
    let mut from = 0.0;
    let phase = |text: &String| {
        let (load, seconds) = text.split_once(':')?;
        let to = from + seconds.parse::<f64>().ok()?;
        let load = match load.strip_prefix('c') {
            Some(clients) => Load::Closed(clients.parse().ok()?),
            None => Load::Open(load.parse().ok()?),
        };
        Some((std::mem::replace(&mut from, to), to, load))
    };
    case.phases.iter().map(phase).collect()
}

/// Returns the times and values, in seconds, of the settings of the endpoint's wait.
fn settings(case: &RecordedCase, name: Option<&str>) -> Vec<(f64, f64)> {
    let faults = case
        .faults
        .iter()
        .filter(|fault| Some(fault.name.as_str()) == name);
    faults
        .filter_map(|fault| Some((fault.seconds.max(0.0), fault.parameters.first()? / 1000.0)))
        .collect()
}

/// Returns the faults that change the endpoint's wait.
fn changes(endpoint: Endpoint, settings: &[(f64, f64)]) -> Vec<Fault> {
    let first = settings.first().map_or(1.0, |(_, wait)| *wait);
    let effects = settings.iter().filter_map(|(from, wait)| {
        let effect = match endpoint {
            Endpoint::Convoy => Effect::Convoy(*wait),
            _ if *from > 0.0 => Effect::SlowPool(wait / first),
            _ => return None,
        };
        Some(Fault::new(effect, Cure::Restart, *from))
    });
    effects.collect()
}

/// Adds a fault to a life. Returns `None` for one that is not simulated.
fn apply(life: &mut Life, endpoint: Endpoint, cpu: f64, fault: &RecordedFault) -> Option<()> {
    let at = fault.seconds;
    if Some(fault.name.as_str()) == endpoint.setting() {
        return Some(());
    }
    let effects = match (fault.name.as_str(), fault.parameters.as_slice()) {
        ("panic_bg", _) => vec![Effect::Errors(BACKGROUND_SHARE)],
        ("fail_all", _) => vec![Effect::Errors(1.0)],
        ("fail_route", _) => vec![Effect::Errors(FAILING_ROUTE_SHARE)],
        ("stop_front", _) => vec![Effect::DeadFrontDoor(true)],
        ("block_workers", [workers]) => vec![Effect::BlockedWorkers(whole(*workers))],
        // An endless task occupies a worker and uses the CPU.
        ("spin_workers", [workers]) => vec![
            Effect::BlockedWorkers(whole(*workers)),
            Effect::Spin(whole(*workers)),
        ],
        // Other processes on the app's core get as much of it as the app.
        ("burn", [processes, seconds]) => {
            let left = life.machine.cores / (processes + 1.0);
            life.machine.neighbours = vec![(at, at + seconds, left)];
            vec![]
        }
        ("batch_s", [seconds]) => {
            life.machine.jobs = vec![(at, at + seconds, 1)];
            vec![]
        }
        ("burn_us", [micros]) => {
            let route = |share, share_after, cpu| Route {
                share,
                share_after,
                cpu,
            };
            life.service.mix_changes_at = at;
            life.service.routes = vec![route(1.0, 0.0, 1.0), route(0.0, 1.0, micros / 1e6 / cpu)];
            vec![]
        }
        // After a restart the run is not compared.
        ("restart", _) => vec![],
        _ => return None,
    };
    let faults = effects
        .into_iter()
        .map(|effect| Fault::new(effect, Cure::Restart, at));
    life.faults.extend(faults);
    Some(())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
fn whole(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(text: &str) -> RecordedCase {
        RecordedCase::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn load_is_a_sequence_of_phases() {
        let case = case(
            r#"{"name": "a", "base": 80, "phases": ["54.6:80", "c40:140"], "timeout": 10,
            "faults": [[80, "burn", 3, 110]]}"#,
        );
        let expected = [
            (0.0, 80.0, Load::Open(54.6)),
            (80.0, 220.0, Load::Closed(40)),
        ];
        assert_eq!(phases(&case).unwrap(), expected);
        assert!((end_of_fault(&case) - 190.0).abs() < 1e-9);
    }

    #[test]
    fn later_settings_are_faults_relative_to_the_first() {
        let case = case(
            r#"{"name": "a", "base": 80, "phases": [], "timeout": 1,
            "faults": [[-1, "queue_ms", 10], [80, "queue_ms", 60], [90, "other", 1]]}"#,
        );
        let settings = settings(&case, Some("queue_ms"));
        assert_eq!(settings, [(0.0, 0.01), (80.0, 0.06)]);
        let faults = changes(Endpoint::Queue, &settings);
        assert_eq!(
            faults,
            [Fault::new(Effect::SlowPool(6.0), Cure::Restart, 80.0)]
        );
        let convoy = changes(Endpoint::Convoy, &settings);
        assert_eq!(convoy.len(), 2);
    }
}
