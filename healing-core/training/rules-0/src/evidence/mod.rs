//! Evidence: symptoms of an app, and the time for which they have lasted. One condition a file:
//!
//! | file | symptom | justifies |
//! |---|---|---|
//! | `errors` | too many requests fail | a soft heal; a hard heal where soft heals did not help |
//! | `panics` | handlers go on panicking | a hard heal |
//! | `runtime_lag` | the runtime ticks late: most of its workers are blocked | a hard heal |
//! | `cpu_saturation` | the CPU is saturated at no more than the usual load | a hard heal |
//! | `unresponsive` | the app stalls, or its ports do not answer | a hard heal |
//!
//! The runtime's lag and the CPU also need `harm` to clients: CPU or memory alone is no symptom. Every
//! symptom must be `sustained`, and a hard heal needs an instance that has been available
//! (`availability`) since its start: another start of a version that never worked does not help.
//! `overload` and `dependencies` are conditions that forbid. Limits that will be hit are in
//! [`forecast`](crate::forecast).
//!
//! # Hazards
//!
//! An absent figure is no evidence. An app that reports five fields gets the count rule and nothing
//! else.

pub(crate) mod availability;
pub(crate) mod cpu_saturation;
pub(crate) mod dependencies;
mod detectors;
mod errors;
pub(crate) mod harm;
pub(crate) mod overload;
pub(crate) mod panics;
pub(crate) mod runtime_lag;
mod sustained;
pub(crate) mod unresponsive;

pub(crate) use detectors::{Detectors, Signals};
pub(crate) use errors::{ErrorDetector, ErrorSignal};
pub(crate) use unresponsive::Unresponsive;

use crate::decision::Reason;

/// Strongest sustained reason for each treatment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Symptoms {
    /// Reason for a soft heal.
    pub soft: Option<Reason>,
    /// Reason for a hard heal.
    pub hard: Option<Reason>,
}
