//! Evidence: is there a symptom, and does it last? One idea a file:
//!
//! | file | the symptom | justifies |
//! |---|---|---|
//! | `errors` | too many requests fail | a soft heal; a hard one where soft heals did not help |
//! | `panics` | handlers go on panicking | a hard heal |
//! | `runtime_lag` | the runtime ticks late: most of its workers are blocked | a hard heal |
//! | `cpu_saturated` | the CPU is used up at no more than the usual load | a hard heal |
//!
//! The last two need `harm` to clients too: CPU or memory alone is no symptom, scaling is the
//! business of others. All of them must last (`lasting`), and a hard heal needs an app that has
//! worked (`worked`) since its start: a version that never did will not by another start. Hangs are
//! `silence`, limits that come near are [forecast](crate::forecast).
//!
//! Hazard: a figure that is absent is no evidence. An app that reports five fields gets the count rule
//! and nothing else.

pub(crate) mod availability;
pub(crate) mod cpu_saturation;
pub(crate) mod errors;
pub(crate) mod harm;
pub(crate) mod panics;
pub(crate) mod runtime_lag;
pub(crate) mod sustained;
mod trouble;

pub(crate) use errors::{Errors, Signs};
pub(crate) use trouble::{Shown, Trouble};

use crate::decision::Reason;

/// The strongest reasons for each treatment that have lasted long enough.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Symptoms {
    /// For a soft heal.
    pub soft: Option<Reason>,
    /// For a hard heal.
    pub hard: Option<Reason>,
}
