//! Recordings of real services under load, as test data for policies.
//!
//! | file | content |
//! |---|---|
//! | `archive` | reader of a `.tar.xz` archive |
//! | `case` | load and faults of a run |
//! | `sample`, `line`, `health` | one second of a run: types, parser, reconstruction of the answer |
//! | `load` | what the clients of a run got |
//! | `recording` | one run, and its polls at a phase |
//! | `completion` | figures of the present schema that were recorded beside the answers |
//! | `expected` | wanted decision of each run |
//! | `collection` | all runs of this repository |
//! | `replay`, `class`, `score` | decisions of a policy, if they are right, and how often |
//! | `figures`, `ranges` | figures of the samples, and their ranges over all runs |
//! | `rebuilt` | runs rebuilt in the simulator, and the comparison of both |
//!
//! # Hazards
//!
//! The recordings are not there to tune a threshold until exactly these runs come out right. An answer of
//! `GET /health` shows what the layer saw, not what clients got.

mod archive;
mod case;
mod class;
mod collection;
mod completion;
mod error;
mod expected;
mod figures;
mod health;
mod line;
mod load;
mod ranges;
mod rebuilt;
mod recording;
mod replay;
mod sample;
mod score;

pub use self::archive::Archive;
pub use self::case::{Fault, RecordedCase};
pub use self::class::{Class, LATE_SECONDS, class};
pub use self::collection::{Collection, Run};
pub use self::completion::Detail;
pub use self::error::{RecordingError, RecordingErrorKind};
pub use self::expected::{Expected, Wanted};
pub use self::figures::{Figure, figures};
pub use self::load::LoadInterval;
pub use self::ranges::{Range, figure_ranges};
pub use self::rebuilt::{
    Comparison, PhaseComparison, PhaseFigures, compare, comparison_table, rebuilt_life,
    simulated_recording,
};
pub use self::recording::{POLL_INTERVAL, Phase, Poll, Recording};
pub use self::replay::{
    Replay, Treated, declared_policy, default_policy, replay, undelayed_policy,
};
pub use self::sample::{
    AppCounts, CgroupCpu, FRONT_DOOR_LIMIT, FrontDoor, RecordedSample, Scheduler, Sockets,
};
pub use self::score::{Score, score};
