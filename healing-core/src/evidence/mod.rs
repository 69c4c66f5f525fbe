//! Evidence: symptoms of an app that have persisted for long enough to justify a treatment. There is one
//! file per condition:
//!
//! | file | symptom | justifies |
//! |---|---|---|
//! | `errors` | too many requests fail | a soft heal; a hard heal if soft heals did not help |
//! | `panics` | handlers keep panicking | a hard heal |
//! | `runtime_lag` | the runtime ticks late: most of its workers are blocked | a hard heal |
//! | `cpu_saturation` | the CPU is saturated at no more than the usual load | a hard heal |
//! | `unresponsive` | the runtime is stalled, the front door times out, or no port responds | a hard heal |
//!
//! Runtime lag and CPU saturation count only if clients are harmed (`harm`). High CPU or memory usage
//! alone is not a symptom. Every symptom must persist; `panics`, `runtime_lag` and `cpu_saturation` use
//! `sustained`. Panics, runtime lag, CPU saturation and failed soft heals justify a restart only if this
//! instance has been available at some point since it started (`availability`), because a version that
//! never worked will not work after a restart. `overload` and `dependencies` are conditions for vetoes.
//! Forecasts of limits are in [`forecast`](crate::forecast).
//!
//! # Hazards
//!
//! An absent figure is not evidence. For an app that reports only the original five fields, nothing but
//! the count rule is evaluated.

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

/// Reason that justifies each treatment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Reason for a soft heal.
    pub soft: Option<Reason>,
    /// Reason for a hard heal.
    pub hard: Option<Reason>,
}
