//! Events of a run: faults of the app, polls, actions of an operator, and restarts.

use std::time::Duration;

use healing_core::decision::TreatmentResult;
use healing_core::health::Health;
use healing_core::observation::{Circumstances, InvalidAnswer, Mode, ProbeResult};
use proptest::prelude::*;

/// Event in a run.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Polls {
        count: u8,
        interval_ms: u16,
    },
    Traffic {
        rate: f64,
        failing: f64,
        seconds: f64,
    },
    Panics(f64),
    Lag {
        runtime: f64,
        care_port: f64,
    },
    Cpu(f64),
    Leak(f64),
    Stall(bool),
    /// `None` leaves the front door unchanged.
    FrontDoor(Option<ProbeResult<()>>),
    /// `None` stands for the health report of the app.
    Care(Option<ProbeResult<()>>),
    Dependency(Option<bool>),
    Started(bool),
    Starting(bool),
    /// Poll with these results in which the doctor was late.
    LatePoll {
        care: u8,
        front_door: u8,
    },
    AppDraining(bool),
    Restart,
    CounterReset,
    StaleReport,
    Circumstances(Circumstances),
    WallJump(i32),
    /// Sidecar restart that takes some milliseconds.
    DoctorRestarts(u16),
    /// Result of the next treatments.
    TreatmentResult(TreatmentResult),
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    let polls = (1..8_u8, 0..15_000_u16)
        .prop_map(|(count, interval_ms)| Event::Polls { count, interval_ms });
    let share = prop_oneof![Just(0.0), Just(0.005), 0.0..1.0, Just(1.0)];
    prop_oneof![
        6 => polls,
        4 => (0.0..500.0, share, 0.001..9.0).prop_map(|(rate, failing, seconds)| {
            Event::Traffic { rate, failing, seconds }
        }),
        1 => (0.0..2.0).prop_map(Event::Leak),
        1 => prop_oneof![Just(0.0), 0.0..1.0].prop_map(Event::Panics),
        1 => (0.0..2.0, 0.001..0.3).prop_map(|(runtime, care_port)| {
            Event::Lag { runtime, care_port }
        }),
        1 => (0.0..110.0).prop_map(Event::Cpu),
        3 => any::<bool>().prop_map(Event::Stall),
        1 => any::<u8>().prop_map(|kind| Event::FrontDoor(probe_result(kind))),
        1 => any::<u8>().prop_map(|kind| {
            // Many events restore the app's own report.
            Event::Care(probe_result(kind).filter(|_| kind > 60))
        }),
        1 => any::<Option<bool>>().prop_map(Event::Dependency),
        1 => any::<bool>().prop_map(Event::Started),
        1 => any::<bool>().prop_map(Event::Starting),
        2 => any::<(u8, u8)>().prop_map(|(care, front_door)| Event::LatePoll { care, front_door }),
        1 => any::<bool>().prop_map(Event::AppDraining),
        1 => Just(Event::Restart),
        1 => Just(Event::CounterReset),
        1 => Just(Event::StaleReport),
        2 => any::<u8>().prop_map(|bits| Event::Circumstances(circumstances(bits))),
        1 => any::<i32>().prop_map(Event::WallJump),
        1 => any::<u16>().prop_map(Event::DoctorRestarts),
        1 => prop_oneof![
            Just(TreatmentResult::Done),
            Just(TreatmentResult::Failed),
            Just(TreatmentResult::Aborted)
        ].prop_map(Event::TreatmentResult),
    ]
}

/// Derives circumstances from random bits.
pub(super) fn circumstances(bits: u8) -> Circumstances {
    let bit = |n: u8| bits >> n & 1 == 1;
    Circumstances {
        mode: if bits.is_multiple_of(5) {
            Mode::Observe
        } else {
            Mode::Enforce
        },
        paused: bit(2) && bit(3),
        state_writable: !(bit(4) && bit(5)),
        draining: bit(6) && bit(7),
        process_alive: [None, Some(true), Some(false)][usize::from(bits % 3)],
        late: false,
    }
}

/// Replaces the content of a valid result with a default health report.
pub(super) fn with_default_report(result: &ProbeResult<()>) -> ProbeResult<Health> {
    match result {
        ProbeResult::Valid((), latency) => ProbeResult::Valid(Health::default(), *latency),
        ProbeResult::Invalid(defect) => ProbeResult::Invalid(*defect),
        ProbeResult::Refused => ProbeResult::Refused,
        ProbeResult::TimedOut => ProbeResult::TimedOut,
        ProbeResult::NotProbed => ProbeResult::NotProbed,
    }
}

/// Derives the result of a probe from a random number.
pub(super) fn probe_result(kind: u8) -> Option<ProbeResult<()>> {
    match kind % 6 {
        0 => Some(ProbeResult::TimedOut),
        1 => Some(ProbeResult::Refused),
        2 => Some(ProbeResult::Invalid(InvalidAnswer::Malformed)),
        3 => Some(ProbeResult::NotProbed),
        4 => Some(ProbeResult::Valid((), Duration::from_millis(3))),
        _ => None,
    }
}
