//! Evidence: symptoms of an app that have persisted for long enough to justify a treatment. There is one
//! file per condition:
//!
//! | file | symptom | justifies |
//! |---|---|---|
//! | `errors` | too many requests fail | a soft heal; a hard heal if soft heals did not help |
//! | `routes` | one route fails entirely, although it has worked | a soft heal |
//! | `panics` | handlers keep panicking | a hard heal |
//! | `front_door` | the app's port refuses connections, or hangs while demand is not met | a hard heal, drained |
//! | `stall` | the care thread proves that the runtime does not tick | a hard heal |
//! | `unresponsive` | the runtime is stalled, or no port responds | a hard heal |
//!
//! High CPU or memory usage, latency and runtime lag are not symptoms: a loaded app has them too. Every
//! symptom must persist (`sustained`). Panics and failed soft heals justify a restart only if this instance
//! has been available at some point since it started (`availability`), because a version that never worked
//! will not work after a restart. A share of errors that treatments do not change is usual, and not
//! evidence (`usual_errors`, by the `error_history`); chance is told from change in `counts`. Goodput below
//! the demand is [`impairment`](crate::impairment). `dependencies` is a condition for vetoes. Forecasts of
//! limits are in [`forecast`](crate::forecast).
//!
//! # Hazards
//!
//! An absent figure is not evidence. For an app that reports only the original five fields, nothing but
//! the count rule is evaluated.

pub(crate) mod availability;
pub(crate) mod counts;
pub(crate) mod dependencies;
pub(crate) mod error_history;
mod errors;
pub(crate) mod front_door;
pub(crate) mod panics;
mod route;
mod routes;
pub(crate) mod stall;
pub(crate) mod sustained;
pub(crate) mod unresponsive;
pub(crate) mod usual_errors;

pub(crate) use errors::{ErrorDetector, ErrorSignal, ErrorWindows};
pub(crate) use front_door::FrontDoorDetector;
pub(crate) use routes::RouteDetector;
pub(crate) use stall::StallDetector;
pub(crate) use sustained::Sustained;
pub(crate) use unresponsive::Unresponsive;

use crate::reason::Reason;

/// Reason that justifies each treatment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Reason for a soft heal.
    pub soft: Option<Reason>,
    /// Reason for a hard heal.
    pub hard: Option<Reason>,
}
