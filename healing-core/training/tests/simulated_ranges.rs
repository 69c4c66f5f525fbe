//! Ranges of the simulator's figures over draws of the populations, against those of the recordings.
//!
//! A decider that is trained or judged on simulated lives must not meet figures in a real service that no
//! simulated one has.

#![cfg(feature = "recordings")]
#![allow(clippy::expect_used)] // a helper of tests

use std::time::Duration;

use healing_core::decision::Action;
use healing_core::observation::{Now, Observation, ProbeResult};
use healing_training::episode::populations::{InKind, MemoryShapes, SickStressed, Stressed};
use healing_training::episode::spec::{Life, Visible};
use healing_training::episode::{Decider, Population};
use healing_training::recordings::{
    Collection, FRONT_DOOR_LIMIT, FrontDoor, Range, RecordedCase, RecordedSample, Recording,
    figure_ranges, simulated_recording,
};

/// Interval of the samples in seconds, that of a doctor's polls.
const INTERVAL: f64 = 5.0;
/// Resolution of the recorded durations in seconds: shorter ones read 0.
const RESOLUTION: f64 = 0.001;

/// Figures of real services outside the simulated range, with the reason.
const EXCEPTIONS: [(&str, &str); 1] = [(
    "p99_seconds",
    "a handler without any work answers within 66 µs; those of the populations use 0.5 ms or more",
)];

/// Recorder of the observations of an episode without treatments.
#[derive(Default)]
struct Recorder(Vec<RecordedSample>);

impl Decider for Recorder {
    fn poll(&mut self, now: Now, observation: &Observation) -> Action {
        let seconds = now.monotonic.as_secs_f64();
        let front_door_duration = match &observation.front_door {
            ProbeResult::Valid((), duration) => *duration,
            _ => FRONT_DOOR_LIMIT,
        };
        let care_duration = match &observation.care {
            ProbeResult::Valid(_, duration) => *duration,
            _ => Duration::ZERO,
        };
        self.0.push(RecordedSample {
            seconds,
            care: observation.care.clone(),
            care_duration,
            front_door: Some(FrontDoor {
                asked_seconds: seconds,
                duration: front_door_duration,
                result: observation.front_door.clone(),
            }),
            scheduler: None,
            busiest_threads: std::collections::BTreeMap::new(),
            sockets: None,
            cgroup_cpu: None,
            app_counts: None,
        });
        Action::NoAction
    }
}

fn case() -> RecordedCase {
    RecordedCase {
        name: "drawn".to_owned(),
        fault_seconds: 0.0,
        phases: Vec::new(),
        client_timeout_seconds: 1.0,
        faults: Vec::new(),
        path: None,
        transport: None,
    }
}

fn recording_of_life(mut life: Life) -> Recording {
    life.visible = Visible::ALL;
    simulated_recording(case(), &life, INTERVAL)
}

fn recording_of_incident(seed: u64) -> Recording {
    let mut recorder = Recorder::default();
    InKind.draw(seed).run(&mut recorder);
    Recording {
        archive: "simulated".to_owned(),
        case: case(),
        samples: recorder.0,
        load: Vec::new(),
    }
}

/// Returns the first minutes of a life, which show the constants of its app.
fn beginning(mut life: Life) -> Life {
    life.seconds = 120.0;
    life
}

/// Returns the ranges over one draw of each kind of the populations, and over the beginnings of many.
fn simulated_ranges() -> Vec<Range> {
    let lives = (0..16).map(Stressed::life);
    let lives = lives.chain((0..13).map(SickStressed::life));
    let lives = lives.chain((0..6).map(MemoryShapes::life));
    let lives = lives.chain((16..250).map(Stressed::life).map(beginning));
    let lives = lives.chain((13..150).map(SickStressed::life).map(beginning));
    let recordings = lives.map(recording_of_life);
    let recordings = recordings.chain((0..21).map(recording_of_incident));
    figure_ranges(&recordings.collect::<Vec<_>>())
}

/// Returns `true` if a real range from its minimum to its 99th percentile is inside the simulated one. The
/// maximum is one second of one run.
fn contains(simulated: &Range, real: &Range) -> bool {
    let tolerance = if real.name.ends_with("_seconds") {
        RESOLUTION
    } else {
        0.0
    };
    simulated.min <= real.min + tolerance && real.p99 <= simulated.max
}

#[test]
fn simulated_ranges_contain_those_of_real_services() {
    let collection = Collection::committed().expect("the recordings are readable");
    let real = figure_ranges(collection.runs.iter().map(|run| &run.recording));
    let simulated = simulated_ranges();
    let mut outside = Vec::new();
    for range in &simulated {
        println!("{range}");
        let real = real.iter().find(|real| real.name == range.name);
        let real = real.unwrap_or_else(|| panic!("{} was not recorded", range.name));
        if !contains(range, real) {
            outside.push(real.name);
        }
    }
    let excepted = EXCEPTIONS.map(|(name, _)| name);
    let unexpected: Vec<_> = outside
        .iter()
        .filter(|name| !excepted.contains(name))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    for (name, reason) in EXCEPTIONS {
        assert!(
            outside.contains(&name),
            "{name} needs no exception: {reason}"
        );
    }
}
