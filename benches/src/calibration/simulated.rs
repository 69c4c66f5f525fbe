//! Simulation of the parameters of a recording.

use healing_core::health::Health;
use healing_core::observation::ProbeResult;
use healing_training::episode::spec::{
    Clients, Distribution, Life, Machine, OnLeave, Rate, Service,
};
use healing_training::episode::{TracePoint, trace};

use super::recording::{FrontDoor, Parameters, Recording, Second};

/// Simulates the parameters of a recording with the random numbers of a seed.
pub(super) fn simulate(parameters: &Parameters, seed: u64) -> Recording {
    let points = trace(&life(parameters, seed), 1.0);
    Recording {
        parameters: parameters.clone(),
        seconds: points
            .iter()
            .map(|point| second(parameters, point))
            .collect(),
    }
}

/// Returns the life of the app. Everything that the recording does not measure is the simulator's default.
fn life(parameters: &Parameters, seed: u64) -> Life {
    Life {
        // The last line of a recording is written at its end.
        seconds: parameters.seconds + 0.5,
        service: Service {
            workers: parameters.workers,
            cpu: Distribution::Fixed(parameters.cpu_per_request),
            // hyper looks for the end of a connection before it polls the service, so a request whose
            // client has left in the meantime never reaches the app.
            on_leave: OnLeave::Discard,
            ..Service::default()
        },
        clients: Clients {
            rate: Rate::constant(parameters.rate),
            patience: Distribution::Fixed(parameters.client_timeout),
            ..Clients::default()
        },
        machine: Machine {
            // The background work of the app uses the same quota. Its cores are outside of the simulation.
            quota: Some(parameters.quota - parameters.background_cores),
            cores: parameters.machine_cores - parameters.background_cores,
            ..Machine::default()
        },
        ..Life::new(seed)
    }
}

fn second(parameters: &Parameters, point: &TracePoint) -> Second {
    let clients = &point.clients;
    Second {
        at: point.seconds,
        front_door: match point.front_door {
            ProbeResult::NotProbed => FrontDoor::Unknown,
            ProbeResult::Valid(..) => FrontDoor::InTime,
            _ => FrontDoor::Late,
        },
        throttled_periods: point.cpu.throttled_periods,
        client_ok: clients.served,
        client_failed: clients.errors + clients.timed_out + clients.refused + clients.reset,
        health: match &point.care {
            ProbeResult::Valid(health, _) => Some(with_background(health, parameters)),
            _ => None,
        },
    }
}

/// Returns a response whose CPU time includes that of the background.
fn with_background(health: &Health, parameters: &Parameters) -> Health {
    let mut health = health.clone();
    let vitals = health.vitals.as_mut();
    if let Some(seconds) = vitals.and_then(|vitals| vitals.cpu_seconds_total.as_mut()) {
        *seconds += parameters.background_cores * health.uptime;
    }
    health
}
